from __future__ import annotations

import math
import random

import pytest

from lib.core.config.secrets import mask
from lib.core.config.values import MASKED
from lib.core.facts.credentials import redact
from lib.core.facts.secret_names import Secrecy, secrecy

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "name",
    [
        "api_key",
        "apiKey",
        "API-KEY",
        "apikey",
        "OPENAI_API_KEY",
        "token",
        "api_token",
        "hub_token",
        "hf_token",
        "hfToken",
        "HF_TOKEN",
        "job_token",
        "access_token",
        "authtoken",
        "secret",
        "client_secret",
        "SecretKey",
        "aws_secret_access_key",
        "aws_access_key_id",
        "password",
        "db_password",
        "passwd",
        "credential",
        "credentials",
        "gcp_credentials",
        "authorization",
        "Authorization",
        "proxy-authorization",
        "auth",
        "private_key",
        "ssh_key",
        "service_role_key",
        "supabase_key",
        "wandb_api_key",
        "mytoken",
        "key",
        "keys",
        "tokens",
        "user_token",
        "push_to_hub_token",
        "bearer",
        "cookie",
        "passphrase",
    ],
)
def test_names_of_secrets_are_recognised(name):
    assert mask("zq81", secrecy(name)) is MASKED


@pytest.mark.parametrize(
    "name",
    [
        "max_tokens",
        "max_new_tokens",
        "tokenizer",
        "tokenizer_name",
        "num_tokens",
        "pad_token",
        "eos_token",
        "bos_token",
        "unk_token",
        "pad_token_id",
        "eos_token_id",
        "key_proj",
        "k_proj",
        "tokens_per_second",
        "num_key_value_heads",
        "query_key_value",
        "key_value",
        "keyword",
        "monkey",
        "special_tokens",
        "additional_special_tokens",
        "image_token",
        "mask_token",
        "tokens_per_step",
        "total_tokens",
        "text_key",
        "label_key",
        "token_type_ids",
        "tokenization",
        "_special_tokens_map",
        "use_hf_tokenizer",
        "author",
        "primary_key",
        "keys_to_ignore_at_inference",
        "_valid_processor_keys",
        "response_key",
        "mask_token_prob",
        "compass_size",
        "chosen_key",
        "rejected_key",
        "reward_fn_key",
        "answer_key",
        "state_dict_keys",
        "rng_key",
        "PRNGKey",
        "lora_key",
        "visual_tokens",
        "tool_token",
        "assistant_token",
        "token_strategy",
        "KeyError",
        "password_dataset",
        "auth_method",
        "passphrase_len",
        "pass_at_k",
        "pass_rate",
        "pass@1",
        "low_pass",
        "num_pass",
        "Unauthorized",
    ],
)
def test_names_that_only_sound_like_secrets_are_not(name):
    assert secrecy(name) is Secrecy.NONE


@pytest.mark.parametrize("value", [None, True, False, "", "  ", (), {}])
def test_what_says_only_whether_a_secret_is_set_is_shown(value):
    shown = mask(value, Secrecy.ALL)
    assert (type(shown), shown) == (type(value), value)


def test_numbers_are_masked_only_where_no_count_can_be_meant():
    assert mask(1234, secrecy("password")) is MASKED
    assert mask(1234, secrecy("api_key")) is MASKED
    assert mask(1234, secrecy("session_tokens")) == 1234
    assert mask(1234, secrecy("tokens")) == 1234
    assert math.isnan(mask(math.nan, Secrecy.NONE))


@pytest.mark.parametrize(
    "secret",
    [
        "hf_AbCdEf123456",
        "hf_notarealtokenbutlonglike",
        "sk-abcdefgh12345678",
        "sk-proj-abc_def-123456",
        "sb_secret_abcdEFGH",
        "ghp_0123456789abcdef",
        "github_pat_11AAAAAAA0123",
        "AKIAABCDEFGHIJKLMNOP",
        JWT,
        "hf_oauth_Ab3dE6gH9kL2nP5r",
        "sk-ant-api03-Ab3d-E6gH",
        "csk-Ab3dE6gH9kL2nP5r",
        "sk_0123456789abcdef01234567",
        "eyJhcGlfYWRkcmVzcyI6Imh0dHBzOi8vAb3dE6gH9kL2nP5r==",
        "GOCSPX-Ab3dE6gH9kL2nP5rabcd",
        "1//0gAb3dE6gH9kL2nP5rAb3dE6gH9kL2nP5r",
        "AGE-SECRET-KEY-1QYQSZAB3DE6GH9KL",
        "tvly-Ab3dE6gH9kL2nP5r",
        "lsv2_pt_0123456789abcdef0123456789abcdef_0123456789",
        "pcsk_Ab3dE6gH9kL2nP5rAb3d",
        "glc_Ab3dE6gH9kL2nP5rAb3d",
        "glrt-Ab3dE6gH9kL2nP5r",
        "hvs.Ab3dE6gH9kL2nP5rAb3d",
        "ntn_Ab3dE6gH9kL2nP5rAb3dE6gH9kL2nP5r",
        "figd_Ab3dE6gH9kL2nP5rAb3d",
        "dp.pt.Ab3dE6gH9kL2nP5rAb3d",
        "key-0123456789abcdef0123456789abcdef",
        "ak-Ab3dE6gH9kL2nP5rAb3d",
        "abc8Q~Ab3dE6gH9kL2nP5rAb3dE6gH9kL2nP5r",
        "MTAxMjM0NTY3ODkwMTIzNDU2.GhIjKl.Ab3dE6gH9kL2nP5rAb3dE6gH9kL",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_a_credential_is_known_by_its_shape(secret):
    assert mask(secret, Secrecy.NONE) is MASKED
    assert secret not in redact(f"first {secret} then")
    assert redact(f"first {secret} then").endswith(" then")


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Bearer abc.def-123", "Bearer ••••"),
        ("Basic dXNlcjpwYXNz", "Basic ••••"),
        ("https://me:pw1@host/x", "https://••••@host/x"),
        ("https://tok3n@host/x", "https://••••@host/x"),
        ("https://host/x?token=abc&size=5", "https://host/x?token=••••&size=5"),
        ("https://host/x?a=1&X-Amz-Signature=abc", "https://host/x?a=1&X-Amz-Signature=••••"),
        ("train --api-key abc --max_tokens 5", "train --api-key •••• --max_tokens 5"),
        ("HF_TOKEN=abc python x.py", "HF_TOKEN=•••• python x.py"),
        ('{"api_key": "abc, d", "lr": 1}', '{"api_key": "••••", "lr": 1}'),
        ("foo: token=abc", "foo: token=••••"),
        ("Authorization: token abc\nAccept: x", "Authorization: ••••\nAccept: x"),
        ("host=db password=abc user=me", "host=db password=•••• user=me"),
        ("['--hf_token', 'abc', '--lr', '1']", "['--hf_token', '••••', '--lr', '1']"),
        ("('api_key', 'a1b2')", "('api_key', '••••')"),
        ('"{\\"hf_token\\": \\"abc\\", \\"lr\\": 1}"', '"{\\"hf_token\\": \\"••••\\", \\"lr\\": 1}"'),
        ("os.environ['HF_TOKEN'] = 'abc'", "os.environ['HF_TOKEN'] = '••••'"),
        ("os.environ.setdefault('HF_TOKEN', 'a1')", "os.environ.setdefault('HF_TOKEN', '••••')"),
        ("api_key => 'abc', x", "api_key => '••••', x"),
        ("<password>abc1</password>", "<password>••••</password>"),
        ("curl -u me:pw1 https://x", "curl -u me:•••• https://x"),
        ("login me\n  password a1b2c3d4e5", "login me\n  password ••••"),
        ("ngrok authtoken a1b2c3d4e5", "ngrok authtoken ••••"),
        ("wandb login --relogin " + "0123456789" * 4, "wandb login --relogin ••••"),
        ("x?token%3Dabc&size=5", "x?token%3D••••&size=5"),
        ("api_key: |\n  abc\nlr: 1", "api_key: ••••\nlr: 1"),
        ("--password 'a;b' --lr 1", "--password '••••' --lr 1"),
        ("password='a\\'b' lr=1", "password='••••' lr=1"),
        ("password=a,b;c lr=1", "password=•••• lr=1"),
        ("password=abc,user=me", "password=••••,user=me"),
        ("train '--hf_token' 'abc' '--lr' '1'", "train '--hf_token' '••••' '--lr' '1'"),
        ("https%3A%2F%2Fme%3Apw1%40host", "https%3A%2F%2F••••@host"),
    ],
)
def test_credentials_inside_text_are_blotted_out(text, redacted):
    assert redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "meta-llama/Llama-3-8B",
        "https://huggingface.co/datasets/x",
        "s3://bucket/key/file",
        "hf_trainer",
        "hf_transformers",
        "sk-learn",
        "task-abcdefghijkl",
        "Key: the answer",
        "eos_token: </s>",
        "max_tokens=512",
        "Basic training",
        "A token of thanks",
        "{{ bos_token }}{% for message in messages %}",
        "mail me@example.org",
        "paged_adamw_8bit",
        "/models/hf_llama31",
        "hf_mistral7binstruct",
        "sk-llama-run1",
        "rk-experiment-2",
        "KeyError: 'model.layers.0.self_attn.k_proj.weight'",
        "Unauthorized: 401 Client Error for url: https://huggingface.co/api",
        "Total tokens: 5,000,000",
        "token: 12,345 per second",
        "['input', 'key', 'label']",
        "docker run --user 1000:1000 image",
        "password protected",
        "a pass over the data: 2",
        "",
    ],
)
def test_harmless_text_is_left_alone(text):
    assert redact(text) == text


def test_a_list_hides_what_follows_the_flag_of_a_secret():
    assert mask(("--lr", "1e-4", "--hf_token", "abc", "--seed", "1"), Secrecy.NONE) == (
        "--lr", "1e-4", "--hf_token", MASKED, "--seed", "1",
    )  # fmt: skip
    assert mask(("a", "b"), Secrecy.TEXT) is MASKED


def test_redacting_a_long_text_comes_to_an_end():
    random.seed(1)
    hexadecimal = random.randbytes(250_000).hex()
    for text in (
        hexadecimal,
        "a=b:" * 100_000,
        "-" * 400_000,
        "a://" * 100_000,
        "eyJaaaaaaaaa" * 30_000,
        "eyJaaaaaaaaa-" * 30_000,
        "password=a,b" * 30_000,
        "'key', 'a" * 30_000,
        "a%3A%2F%2F" * 30_000,
    ):
        # A pattern that looks at each place again from each other place would take hours.
        redact(text)
