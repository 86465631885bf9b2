"""What a deployment may say about its Supabase project, and what each mistake is answered with."""

from __future__ import annotations

import base64
import json

import pytest

from lib.core.facts.errors import SettingsError
from lib.data.settings import Settings, settings_from
from lib.data.supabase.settings import (
    REFRESH_S,
    TIMEOUT_S,
    SignIn,
    SupabaseSettings,
    is_service_key,
    is_token,
)


def key_of(**claims) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{head}.{body}.c2lnbmF0dXJl"


URL = "https://abcdefgh.supabase.co"
ANON, SERVICE = key_of(role="anon", iss="supabase"), key_of(role="service_role", iss="supabase")


def read(section=None, environment=None, **more):
    secrets = {} if section is None else {"runoff": {"supabase": section} | more}
    return settings_from(environment or {}, secrets)


def refused(section=None, environment=None, **more) -> str:
    with pytest.raises(SettingsError) as raised:
        read(section, environment, **more)
    assert raised.value.hint
    said = f"{raised.value} {raised.value.hint}"
    for secret in (ANON, SERVICE, "sb_secret_planted", "planted-secret"):
        assert secret not in said
    return said


def test_url_and_key_are_enough():
    settings = read({"url": f" {URL}/ ", "key": f" {ANON}\n"})
    assert settings == Settings(supabase=SupabaseSettings(URL, ANON))
    project = settings.supabase
    assert (project.jobs_table, project.metrics_table) == ("local_training_jobs", "local_training_metrics")
    assert (project.sign_in, project.timeout_s, project.refresh_s) == (SignIn.REQUIRED, TIMEOUT_S, REFRESH_S)
    assert project.host == "abcdefgh.supabase.co"


def test_every_setting_can_be_given_in_both_places_and_the_environment_goes_first():
    written = {
        "url": URL,
        "key": "sb_publishable_a",
        "jobs_table": "jobs",
        "metrics_table": "rows",
        "sign_in": "off",
        "timeout_s": 5,
        "refresh_s": 2.5,
        "allow_service_key": True,
    }
    expected = Settings(supabase=SupabaseSettings(URL, "sb_publishable_a", "jobs", "rows", SignIn.OFF, 5.0, 2.5, True))
    assert read(written) == expected
    variables = {f"RUNOFF_SUPABASE_{name.upper()}": str(value) for name, value in written.items()}
    assert read(environment=variables) == expected
    others = dict.fromkeys(written, "x") | {"url": 5}
    assert read(others, variables) == expected, "what the environment says is all that counts"
    assert read(written, {"RUNOFF_SUPABASE_JOBS_TABLE": "mine"}).supabase.jobs_table == "mine"


@pytest.mark.parametrize("environment", [{}, {"RUNOFF_RUNS": "outputs"}, {"SUPABASE_URL": URL}])
def test_nothing_said_is_no_project(environment):
    assert settings_from(environment, {}).supabase is None


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({}, "found no setting url"),
        ({"key": ANON}, "found no setting url"),
        ({"url": URL}, "found no setting key"),
        (
            {"url": URL, "key": ""},
            "Expected key in section [runoff.supabase] of secrets.toml to be text, found nothing",
        ),
        ({"url": "", "key": ANON}, "Expected url in section [runoff.supabase]"),
        ({"url": 5, "key": ANON}, "found a value of type int"),
        ({"url": "abcdefgh.supabase.co", "key": ANON}, "does not start with https://"),
        ({"url": "ftp://x", "key": ANON}, "does not start with https://"),
        ({"url": "https://", "key": ANON}, "without a host"),
        ({"url": "https://a b.c", "key": ANON}, "with a space"),
        ({"url": "https://x:planted-secret@y", "key": ANON}, "user name"),
        ({"url": "https://x:notaport", "key": ANON}, "no address"),
        ({"url": f"{URL}/rest/v1/", "key": ANON}, "more than the project's own part"),
        ({"url": f"{URL}?a=b", "key": ANON}, "more than the project's own part"),
        ({"url": "https://supabase.com/dashboard/project/abc", "key": ANON}, "address of the dashboard"),
        ({"url": ANON, "key": URL}, "does not start with https://"),
        ({"url": URL, "key": "planted-secret"}, "to be an API key"),
        ({"url": URL, "key": f"{ANON} x"}, "text with spaces"),
        ({"url": URL, "key": "sb_publishable_ü"}, "text with spaces or other characters"),
        ({"url": URL, "key": ANON, "jobs_table": "a b"}, "to be a table's name"),
        ({"url": URL, "key": ANON, "metrics_table": "public.rows"}, "without schema"),
        ({"url": URL, "key": ANON, "jobs_table": ""}, "Expected jobs_table"),
        ({"url": URL, "key": ANON, "sign_in": "never"}, 'to be "required" or "off", found another text.'),
        ({"url": URL, "key": ANON, "sign_in": False}, 'to be "required" or "off"'),
        ({"url": URL, "key": ANON, "timeout_s": 0}, "number of seconds from 1 to 300, found one below that"),
        ({"url": URL, "key": ANON, "timeout_s": "soon"}, "found another text"),
        ({"url": URL, "key": ANON, "timeout_s": "301"}, "number of seconds from 1 to 300, found one above that"),
        ({"url": URL, "key": ANON, "jobs_table": "a" * 64}, "to be a table's name, found a longer text"),
        ({"url": URL, "key": ANON, "refresh_s": float("nan")}, "from 1 to 3600"),
        ({"url": URL, "key": ANON, "refresh_s": True}, "from 1 to 3600"),
        ({"url": URL, "key": ANON, "allow_service_key": "perhaps"}, "to be true or false"),
        ({"url": URL, "key": ANON, "kee": "planted-secret"}, "Unknown setting: 'kee'"),
        ("planted-secret", "to be a section"),
        (["a"], "to be a section"),
    ],
)
def test_a_setting_that_is_wrong_is_named_with_what_was_expected(section, said):
    assert said in refused(section)


@pytest.mark.parametrize("name", ["RUNOFF_SUPABASE_KEE", "RUNOFF_SUPABASE_", "RUNOFF_SUPABASE_url"])
def test_a_variable_that_is_not_known_is_named(name):
    said = refused({"url": URL, "key": ANON}, {name: "planted-secret"})
    assert f"Unknown setting: environment variable {name}." in said
    assert "RUNOFF_SUPABASE_KEY" in said


def test_a_wrong_variable_is_named_as_such():
    said = refused({"url": URL, "key": ANON}, {"RUNOFF_SUPABASE_URL": "x"})
    assert "the environment variable RUNOFF_SUPABASE_URL" in said


@pytest.mark.parametrize("key", [SERVICE, "sb_secret_planted", key_of(role="supabase_admin")])
def test_a_key_that_reads_past_row_level_security_is_refused_unless_it_is_allowed(key):
    assert is_service_key(key)
    assert "reads past row-level security" in refused({"url": URL, "key": key})
    assert read({"url": URL, "key": key, "allow_service_key": True}).supabase.key == key
    assert "reads past" in refused({"url": URL, "key": key, "allow_service_key": False})


@pytest.mark.parametrize("key", [ANON, "sb_publishable_x", key_of(role="authenticated")])
def test_a_public_key_is_taken(key):
    assert not is_service_key(key)
    assert is_token(key) == key.startswith("eyJ")


@pytest.mark.parametrize("text", ["", "a.b.c", "a.b", "....", "eyJ.e30.x", "ü.ü.ü", f"x.{base64.b64encode(b'[1]')}.y"])
def test_what_is_no_token_says_nothing(text):
    assert not is_service_key(text)


@pytest.mark.parametrize("environment", [{"RUNOFF_RUNS": "outputs"}, {}])
def test_a_folder_and_a_project_are_one_source_too_many(environment):
    said = refused({"url": URL, "key": ANON}, environment, **({} if environment else {"runs": "outputs"}))
    assert "found two" in said
    variables = {"RUNOFF_SUPABASE_URL": URL, "RUNOFF_SUPABASE_KEY": ANON}
    assert "found two" in refused({"url": URL, "key": ANON}, variables | {"RUNOFF_RUNS": "outputs"})


def test_the_key_stands_in_no_text_of_the_settings():
    settings = read({"url": URL, "key": ANON})
    for said in (repr(settings), str(settings.supabase), f"{settings}"):
        assert ANON not in said
        assert URL in said
    assert len({settings, read({"url": URL, "key": "sb_publishable_b"})}) == 2, "another key is another project"
