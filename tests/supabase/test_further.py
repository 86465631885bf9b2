"""Numeric columns of the metrics table that the catalogue does not know: found, offered, and read when wanted."""

from __future__ import annotations

from urllib.parse import unquote

import numpy as np
import pytest

from lib.core.facts.errors import SourceUnavailable
from lib.core.facts.metrics import LOGGED
from lib.core.ranking.metric_names import is_candidate
from lib.data.supabase import further
from lib.ui.session.current_curves import CurvesMemory
from lib.ui.session.run_data import FIRST_METRICS, SOURCE_BUCKETS
from tests.supabase.seed import METRICS
from tests.supabase.test_source import add_job, add_rows, metric_requests

ODD = "f1-score/macro avg.2"
FURTHER = {"eval_accuracy", "score", ODD}
STEPS = 6000
WHOLE = "select=*"


def looks(project) -> list[str]:
    """The reads of one whole row."""
    return [entry.query for entry in metric_requests(project) if WHOLE in unquote(entry.query)]


def with_columns(project, job: str) -> None:
    project.execute(
        f"alter table {METRICS} add eval_accuracy double precision, add note text, add api_token text,"
        f' add score numeric, add "{ODD}" real, add never integer, add is_best boolean, add node_id integer,'
        ' add worker json, add "a, b" integer default 1'
    )
    project.reload_schema()
    add_rows(
        project,
        job,
        1,
        STEPS,
        score="i * 0.5",
        api_token="'secret'",
        is_best="true",
        node_id="7",
        # The first rows say nothing of these.
        note="case when i = 4000 then 'a note' end",
        worker="""case when i = 4000 then '{"rank": 1}'::json end""",
        eval_accuracy="case when i %% 500 = 0 then 1.0 - 1.0 / i end".replace("%%", "%"),
    )
    project.execute(f"""update {METRICS} set "{ODD}" = step * 0.25 where step %% 100 = 0""".replace("%%", "%"))


@pytest.fixture(scope="module", params=[False, True], ids=["every row", "reduced"])
def project(request, stack):
    name = f"further_{request.param}".lower()
    project = stack.project(name, migrated=request.param, seeded=False)
    with_columns(project, add_job(project))
    yield project
    stack.remove(project)


JOB = "00000000-0000-4000-8000-000000000001"


def test_they_are_metrics_like_any_other(project, connect):
    (run,) = connect(project).load_curves([JOB]).values()
    assert run.curves.keys() - set(LOGGED) == FURTHER
    assert run.get("score").value.tolist() == [step * 0.5 for step in range(1, STEPS + 1)]
    assert run.get(ODD).step.tolist() == list(range(100, STEPS + 1, 100))
    assert run.get("eval_accuracy").step.tolist() == list(range(500, STEPS + 1, 500))


def test_what_was_not_asked_for_is_offered_and_read_on_demand(project, connect):
    source = connect(project)
    whole = source.load_curves([JOB])[JOB]
    (first,) = source.load_curves([JOB], FIRST_METRICS, None, SOURCE_BUCKETS).values()
    assert set(first.unread) - set(LOGGED) == FURTHER
    (more,) = source.load_curves([JOB], sorted(FURTHER), None, 100).values()
    assert more.curves.keys() == FURTHER
    assert not set(more.unread) & FURTHER
    # Evaluations are never reduced.
    assert np.array_equal(more.get("eval_accuracy").value, whole.get("eval_accuracy").value)
    assert more.get("score").logged == STEPS
    assert more.get("score").value.max() == STEPS * 0.5
    if "reduced in" in source.way():
        assert len(more.get("score")) <= 400


def test_new_rows_bring_them_too(project, connect):
    (news,) = connect(project).load_new_curves([JOB], {JOB: STEPS - 500}).values()
    assert news.get("eval_accuracy").step.tolist() == [STEPS - 500, STEPS]
    assert news.get("score").step[-1] == STEPS


def test_no_text_and_no_credential_is_asked_for_by_name_whatever_a_link_says(project, connect):
    source = connect(project)
    assert source.load_curves([JOB], ["api_token", "note", "is_best", "node_id", "worker", "unheard_of"]) == {}
    source.load_curves([JOB], ["score", "api_token"], None, 10)
    source.load_curves([JOB])
    asked = " ".join(unquote(entry.query) for entry in project.log)
    assert "api_token" not in asked
    assert "node_id" not in asked
    whole = [entry for entry in metric_requests(project) if "train_loss" in unquote(entry.query)]
    assert whole
    assert all("note" not in unquote(entry.query) for entry in whole)


def test_a_row_is_looked_at_once_in_ten_minutes(project, connect, monkeypatch):
    source = connect(project)
    for _ in range(3):
        source.load_curves([JOB], FIRST_METRICS, None, SOURCE_BUCKETS)
    source.load_curves([JOB])
    assert len(looks(project)) == 1
    monkeypatch.setattr(further, "LOOK_AGAIN_S", 0.0)
    source.load_curves([JOB])
    assert len(looks(project)) == 2


def test_the_jobs_are_never_read_whole(project, connect):
    source = connect(project)
    source.load_runs([JOB])
    source.load_curves([JOB])
    assert all(WHOLE not in unquote(entry.query) for entry in project.log.of("/rest/v1/local_training_jobs"))


def test_what_another_run_has_filled_in_is_found_with_that_run(fresh, connect):
    project = fresh(seeded=False)
    first, second = add_job(project, 1), add_job(project, 2)
    project.execute(f"alter table {METRICS} add eval_f1 double precision, add eval_note text")
    project.reload_schema()
    add_rows(project, first, 1, 20)
    add_rows(project, second, 1, 20, eval_f1="0.5", eval_note="'good'")
    source = connect(project)
    assert not set(source.load_curves([first], FIRST_METRICS)[first].unread) - set(LOGGED)
    assert set(source.load_curves([second], FIRST_METRICS)[second].unread) - set(LOGGED) == {"eval_f1"}
    assert len(looks(project)) == 1


def test_nan_is_a_number(fresh, connect):
    project = fresh(seeded=False)
    job = add_job(project)
    project.execute(f"alter table {METRICS} add eval_f1 double precision")
    project.reload_schema()
    add_rows(project, job, 1, 20, eval_f1="'NaN'::float8")
    assert connect(project).load_curves([job])[job].get("eval_f1").lost == 20


def test_a_project_with_known_columns_only_is_asked_one_small_question(plain, connect):
    source, job = connect(plain), plain.jobs["ann"][0]
    source.load_curves([job], FIRST_METRICS)
    rows = [entry for entry in metric_requests(plain) if "train_loss" in entry.query]
    source.load_curves([job], FIRST_METRICS)
    assert len(looks(plain)) == 1
    assert len(metric_requests(plain)) == 2 * len(rows) + 2, "beside when the run began"


def test_where_some_columns_are_not_for_the_reader_the_others_are_read(fresh, connect):
    project = fresh(seeded=False)
    job = add_job(project)
    project.execute(f"alter table {METRICS} add api_token text")
    add_rows(project, job, 1, 20)
    columns = project.execute(
        "select string_agg(format('%I', column_name), ', ') as names from information_schema.columns"
        f" where table_name = '{METRICS}' and column_name <> 'api_token'"
    )[0]["names"]
    project.execute(
        f"revoke select on {METRICS} from authenticated; grant select ({columns}) on {METRICS} to authenticated"
    )
    project.reload_schema()
    source = connect(project)
    for _ in range(2):
        assert len(source.load_curves([job])[job].get("train_loss")) == 20
        assert len(source.load_curves([job], ["train_loss"])[job].get("train_loss")) == 20
    assert len(looks(project)) == 1


def test_curves_stay_worth_having_where_nobody_says_what_else_there_is(plain, connect):
    source, job = connect(plain, timeout_s=1), plain.jobs["ann"][0]
    plain.faults.add(f"/rest/v1/{METRICS}", status=502, query="select=%2A")
    plain.faults.add(f"/rest/v1/{METRICS}", status=502, query="select=*")
    (run,) = source.load_curves([job], FIRST_METRICS).values()
    assert run.curves
    assert set(run.unread) == set(LOGGED) - set(FIRST_METRICS)
    with pytest.raises(SourceUnavailable):
        source.load_curves([job])


def test_whatever_may_decide_comes_with_the_first_read_and_costs_no_request_of_its_own(project, connect):
    asked = []
    for also in (None, is_candidate):
        project.log.clear()
        (run,) = connect(project).load_curves([JOB], FIRST_METRICS, None, SOURCE_BUCKETS, also=also).values()
        asked.append(sorted(entry.path for entry in project.log))
    assert asked[0] == asked[1]
    assert run.get("eval_accuracy").step.tolist() == list(range(500, STEPS + 1, 500))
    assert "perplexity" not in run.unread
    assert set(run.unread) >= FURTHER - {"eval_accuracy"}


def test_where_nobody_says_what_else_there_is_the_source_says_so(plain, connect):
    source, job = connect(plain, timeout_s=1), plain.jobs["ann"][0]
    assert "could not be asked" not in source.way()
    plain.faults.add(f"/rest/v1/{METRICS}", status=502, query="select=%2A")
    plain.faults.add(f"/rest/v1/{METRICS}", status=502, query="select=*")
    (run,) = source.load_curves([job], FIRST_METRICS, also=is_candidate).values()
    assert run.curves
    assert run.may_have_more
    assert "could not be asked" in source.way()


@pytest.mark.parametrize("migrated", [False, True])
def test_of_a_reward_that_may_decide_every_value_is_read(fresh, connect, migrated):
    project = fresh(seeded=False, migrated=migrated)
    job = add_job(project, status="completed")
    project.execute(f"alter table {METRICS} add reward double precision")
    project.reload_schema()
    add_rows(project, job, 1, STEPS, reward="case when i % 7 = 0 then 1.0 else 0.0 end")
    source = connect(project)
    (run,) = source.load_runs([job])
    data = CurvesMemory().newest(source, run, SOURCE_BUCKETS, None)
    assert len(data.curves.get("reward")) == STEPS
