from __future__ import annotations

import pytest

from lib.core.facts.errors import SettingsError
from lib.importer.settings import import_settings_from

USER = "a0000000-0000-4000-8000-00000000000a"
SERVICE = {"URL": "https://abc.supabase.co", "KEY": "sb_secret_planted", "USER": USER}
PUBLIC = {"URL": "https://abc.supabase.co", "KEY": "sb_publishable_x", "EMAIL": "a@b.c", "PASSWORD": "planted"}


def read(given):
    return import_settings_from({f"RUNOFF_IMPORT_{name}": value for name, value in given.items()})


def test_a_service_key_writes_for_a_user_and_a_public_one_for_who_signs_in():
    service = read(SERVICE | {"USER": USER.upper(), "JOBS_TABLE": "jobs"})
    assert (service.user_id, service.email, service.project.jobs_table) == (USER, None, "jobs")
    public = read(PUBLIC)
    assert (public.user_id, public.email, public.password) == (None, "a@b.c", "planted")
    assert "planted" not in f"{service!r} {public!r}"


def test_settings_for_reading_are_not_those_for_writing():
    with pytest.raises(SettingsError, match="RUNOFF_IMPORT_URL"):
        import_settings_from({"RUNOFF_SUPABASE_URL": "https://abc.supabase.co", "RUNOFF_SUPABASE_KEY": "sb_secret_x"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "RUNOFF_IMPORT_URL"),
        ({"URL": SERVICE["URL"]}, "RUNOFF_IMPORT_KEY"),
        (SERVICE | {"URL": "abc"}, "the environment variable RUNOFF_IMPORT_URL"),
        (SERVICE | {"KEY": "planted"}, "the environment variable RUNOFF_IMPORT_KEY"),
        (SERVICE | {"USER": "ann-planted"}, "a user's id"),
        ({name: SERVICE[name] for name in ("URL", "KEY")}, "RUNOFF_IMPORT_USER beside a service key"),
        (SERVICE | {"EMAIL": "a@b.c", "PASSWORD": "planted"}, "RUNOFF_IMPORT_USER beside a service key"),
        (PUBLIC | {"EMAIL": ""}, "RUNOFF_IMPORT_EMAIL to be text"),
        ({name: PUBLIC[name] for name in ("URL", "KEY")}, "RUNOFF_IMPORT_EMAIL and RUNOFF_IMPORT_PASSWORD beside"),
        ({name: PUBLIC[name] for name in ("URL", "KEY", "EMAIL")}, "found one alone"),
        (SERVICE | {"REFRESH_S": "5"}, "RUNOFF_IMPORT_REFRESH_S"),
        (SERVICE | {"TABLE": "planted"}, "RUNOFF_IMPORT_TABLE"),
    ],
)
def test_what_is_wrong_is_said_without_the_value(given, said):
    with pytest.raises(SettingsError) as error:
        read(given)
    assert said in str(error.value)
    assert "RUNOFF_SUPABASE" not in f"{error.value} {error.value.hint}"
    assert "planted" not in f"{error.value} {error.value.hint}"
