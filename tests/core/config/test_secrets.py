from __future__ import annotations

import math
import random

import pytest

from lib.core.config.secrets import mask
from lib.core.config.values import MASKED
from lib.core.facts.credentials import Secrecy, redact, secrecy

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
    for text in (hexadecimal, "a=b:" * 100_000, "-" * 400_000, "a://" * 100_000, "eyJaaaaaaaaa" * 30_000):
        # A pattern that looks at each place again from each other place would take hours.
        redact(text)
