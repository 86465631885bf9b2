"""A project is well while its API answers, whoever may read what in it."""

from __future__ import annotations

import pytest

from lib.core.facts.errors import AccessDenied, SettingsError, SourceUnavailable
from lib.data.probe import probe
from lib.data.settings import Settings
from lib.data.supabase.settings import SignIn, SupabaseSettings
from tests.supabase.project import Project


def settings_of(project: Project, **how: object) -> Settings:
    return Settings(supabase=SupabaseSettings(**{"url": project.url, "key": project.anon_key, "timeout_s": 2.0} | how))


def test_a_project_that_answers_is_asked_for_one_row(plain):
    probe(settings_of(plain))
    (asked,) = plain.log.of("/rest/")
    assert "limit=1" in asked.query
    assert asked.response_bytes < 10


def test_a_database_that_lets_nobody_in_answers_where_people_sign_in(fresh):
    project = fresh()
    project.execute("revoke select on local_training_jobs from anon")
    probe(settings_of(project))
    with pytest.raises(AccessDenied):
        probe(settings_of(project, sign_in=SignIn.OFF))


def test_a_project_that_is_down_is_not_well(plain):
    plain.faults.add("/rest/v1/", status=503, body={"code": "PGRST001", "message": "no database"})
    with pytest.raises(SourceUnavailable):
        probe(settings_of(plain))


def test_a_project_that_says_nothing_is_not_well(plain):
    plain.faults.add("/rest/v1/", hang=True)
    with pytest.raises(SourceUnavailable):
        probe(settings_of(plain))


def test_a_key_that_is_refused_and_a_table_that_is_not_there_are_wrong_settings(plain):
    with pytest.raises(SettingsError):
        probe(settings_of(plain, key="sb_publishable_other"))
    with pytest.raises(SettingsError):
        probe(settings_of(plain, jobs_table="no_such_table"))
