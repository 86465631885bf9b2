"""What a project's tables, rules and clocks get wrong is said, and asked for again."""

from __future__ import annotations

import time

import pytest

from lib.core.facts.errors import SourceUnavailable
from lib.core.facts.query import RunQuery
from lib.data.supabase import client as supabase_client
from lib.data.supabase.auth import sign_in
from lib.data.supabase.source import SupabaseSource
from tests.app.conftest import _own_settings  # noqa: F401 - a fixture
from tests.supabase.readers import project_for, reader_for
from tests.supabase.seed import JOBS, METRICS
from tests.supabase.test_app import on, own_environment  # noqa: F401 - fixtures


def test_a_column_that_is_missing_is_named_and_asked_for_again_after_a_while(fresh, connect, monkeypatch):
    project = fresh()
    project.execute(f"alter table {JOBS} drop column base_model; alter table {METRICS} drop column grad_norm")
    project.reload_schema()
    source, job = connect(project), project.jobs["ann"][0]

    def asked() -> tuple[bool, bool, str | None]:
        """Whether the two columns were asked for, and the first one's value."""
        project.log.clear()
        (run,) = source.load_runs([job])
        assert source.load_curves([job])
        jobs, rows = ([entry.query for entry in project.log.of(f"/rest/v1/{table}")] for table in (JOBS, METRICS))
        return any("base_model" in each for each in jobs), any("grad_norm" in each for each in rows), run.base_model

    assert asked() == (True, True, None)
    assert "The tables have no column base_model, grad_norm." in source.way()
    assert asked() == (False, False, None)
    project.execute(f"alter table {JOBS} add base_model text default 'a model'")
    project.execute(f"alter table {METRICS} add grad_norm double precision")
    project.reload_schema()
    assert asked() == (False, False, None)
    later = time.monotonic() + supabase_client.COLUMN_AGAIN_S
    monkeypatch.setattr(supabase_client, "now", lambda: later)
    assert asked() == (True, True, "a model")
    assert "have no column" not in source.way()


def test_a_sign_in_that_is_over_before_it_began_is_said(plain):
    plain.accounts.token_seconds = -5
    with project_for(plain) as connections:
        user = plain.users["ann"]
        with pytest.raises(SourceUnavailable, match="it was over before it began"):
            sign_in(connections, user.email, user.password)
        assert len(plain.log.of("/auth/v1/token")) == 1


def test_a_renewal_that_is_over_before_it_began_leaves_the_old_token_and_asks_no_more(plain):
    with project_for(plain) as connections:
        reader = reader_for(connections, plain, "ann")
        source = SupabaseSource(connections, reader)
        plain.accounts.token_seconds = -5
        token = reader.access_token()
        assert source.list_runs(RunQuery()).total
        assert reader.access_token() == token


def test_rows_that_the_rules_hide_are_not_said_to_be_missing(fresh, on):  # noqa: F811
    project = fresh()
    for policy in project.execute(f"select policyname from pg_policies where tablename = '{METRICS}'"):
        project.execute(f'drop policy "{policy["policyname"]}" on {METRICS}')
    app = on(project, user="ann", run=project.jobs["ann"][:1])
    app.assert_sound()
    assert "has logged no metrics that you may read." in app.text
    assert "a policy for select on the table of metrics" in app.text


def test_a_moment_that_is_yet_to_come_is_named(fresh, connect):
    project = fresh()
    job, other = project.jobs["ann"][:2]
    project.execute(f"update {JOBS} set updated_at = now() + interval '3 hours' where id = '{job}'")
    project.execute(f"update {JOBS} set updated_at = now() + interval '1 minute' where id = '{other}'")
    late, fine = connect(project).load_runs([job, other])
    (note,) = [note for note in late.notes if "is in the future" in note]
    assert note.startswith("Column updated_at: ")
    assert not [note for note in fine.notes if "is in the future" in note]
