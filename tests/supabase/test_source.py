"""The Supabase source beyond the laws of every source: readers apart, rows complete, few requests, no credential."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, unquote

import pandas as pd
import pytest

from lib.core.curves.metric_curves import extended
from lib.core.facts.errors import SettingsError
from lib.core.facts.query import PAGE_SIZE, RunQuery, RunSort
from lib.core.facts.runs import RunStatus, normalise_status
from lib.data.demo.source import EmbeddedSource
from lib.data.supabase.source import JOB_COLUMNS, SupabaseSource
from lib.ui.session import reads
from tests.curves import checked
from tests.matching import matches
from tests.supabase.readers import project_for, reader_for
from tests.supabase.seed import JOBS, METRICS

JOB = "00000000-0000-4000-8000-0000000000{:02}"
EVERYTHING = RunQuery(limit=10**9)


def add_job(project, number=1, owner="ann", **columns) -> str:
    values = {"id": JOB.format(number), "user_id": project.users[owner].id, "model_name": "run", "status": "running"}
    values |= columns
    listed = ", ".join("null" if value is None else f"'{value}'" for value in values.values())
    project.execute(f"insert into {JOBS} ({', '.join(values)}) values ({listed})")
    return values["id"]


def add_rows(project, job, first, last, **columns):
    """Rows for each step, with SQL expressions of ``i`` as values."""
    values = {"train_loss": "1.0 / i", "timestamp": "'2026-01-01'::timestamptz + i * interval '1 second'"} | columns
    names = ", ".join(f'"{name}"' for name in values)
    project.execute(
        f"insert into {METRICS} (job_id, step, {names})"
        f" select '{job}', i, {', '.join(values.values())} from generate_series({first}, {last}) i"
    )


def points(source, ids, *query, **named):
    """What a source has to say to a query, as a table."""
    return checked(source.load_curves(ids, *query, **named))


def metric_requests(project):
    return project.log.of(f"/rest/v1/{METRICS}")


# --- what is read ------------------------------------------------------------------------------------


def test_the_demo_runs_read_through_the_database_are_the_demo_runs(plain, connect):
    source, demo = connect(plain), EmbeddedSource()
    ids = list(plain.jobs["ann"])
    pd.testing.assert_frame_equal(points(source, ids), points(demo, ids))
    for read, made in zip(source.load_runs(ids), demo.load_runs(ids), strict=True):
        assert read.config == made.config
        for name in ("name", "status", "duration_s", "progress", "best_eval_loss", "created_at", "notes"):
            assert repr(getattr(read, name)) == repr(getattr(made, name))


def test_five_thousand_rows_come_whole_past_any_limit_of_the_server(fresh, connect):
    project = fresh(seeded=False, max_rows=300)
    job = add_job(project)
    add_rows(project, job, 1, 5000)
    # A resumed run that wrote one step again and again: more rows than a page holds.
    project.execute(
        f'insert into {METRICS} (job_id, step, train_loss, "timestamp")'
        f" select '{job}', 2500, i, '2026-02-01'::timestamptz + i * interval '1 second' from generate_series(1, 701) i"
    )
    frame = points(connect(project), [job])
    assert list(frame["step"]) == list(range(1, 5001))
    assert frame.set_index("step")["value"][2500] == 701, "the last one written wins"
    assert frame.set_index("step")["value"][4999] == pytest.approx(1 / 4999)
    # The first page, the last step, and pages planned a little less than full; not one page after the other; and a row
    # that tells the columns.
    assert 5701 / 300 < len(metric_requests(project)) <= 3 + 1.3 * 5701 / 300


@pytest.mark.parametrize("max_rows", [1, 7, None])
def test_the_servers_limit_makes_no_difference(fresh, connect, max_rows):
    project = fresh(seeded=False, max_rows=max_rows)
    job = add_job(project)
    add_rows(project, job, 1, 20)
    add_rows(project, job, 1, 20, train_loss="null", eval_loss="case when i % 5 = 0 then i end")
    frame = points(connect(project), [job])
    assert list(frame["metric"].value_counts().sort_index()) == [4, 20]
    assert len(connect(project).list_runs(EVERYTHING).runs) == 1


def test_a_list_longer_than_the_servers_limit_comes_whole(fresh, connect):
    project = fresh(seeded=False, max_rows=4)
    ids = [add_job(project, number) for number in range(10)]
    source = connect(project)
    page = source.list_runs(EVERYTHING)
    assert sorted(run.run_id for run in page.runs) == ids
    assert page.total == page.source_total == sum(page.statuses.values()) == 10
    assert [run.run_id for run in source.load_runs(ids)] == ids


def test_null_is_no_row_and_nan_is_one(fresh, connect):
    project = fresh(seeded=False)
    job = add_job(project)
    values = "(array[null, 'NaN', 'Infinity', '-Infinity', '0'])[i]::float8"
    add_rows(project, job, 1, 5, train_loss=values, grad_norm="null")
    frame = points(connect(project), [job])
    assert list(frame["step"]) == [2, 3, 4, 5]
    assert math.isnan(frame["value"][0])
    assert list(frame["value"][1:]) == [math.inf, -math.inf, 0.0]
    assert set(frame["metric"]) == {"train_loss"}


def test_times_count_from_the_runs_first_row_whatever_is_read(fresh, connect):
    project = fresh(seeded=False)
    job = add_job(project)
    add_rows(project, job, 11, 30, eval_loss="case when i = 20 then 1 end")
    add_rows(project, job, 10, 10)
    source = connect(project)
    assert points(source, [job], steps=(20, 21))["elapsed_s"].tolist() == [10.0, 10.0, 11.0]
    assert points(source, [job], ["eval_loss"])["elapsed_s"].tolist() == [10.0]
    assert checked(source.load_new_curves([job], {job: 29}))["elapsed_s"].tolist() == [19.0, 20.0]


def test_what_is_written_late_for_the_last_step_is_new(fresh, connect):
    project = fresh(seeded=False)
    job, other = add_job(project, 1), add_job(project, 2)
    add_rows(project, job, 1, 50)
    add_rows(project, other, 1, 3)
    source = connect(project)
    held = source.load_curves([job, other])
    add_rows(project, job, 50, 50, train_loss="null", eval_loss="0.5")
    add_rows(project, job, 51, 52)
    news = source.load_new_curves([job, other], {job: 50})
    new = checked(news)
    hers = new[new["run_id"] == job]
    assert list(zip(hers["metric"], hers["step"], strict=True)) == [
        ("eval_loss", 50),
        ("train_loss", 50),
        ("train_loss", 51),
        ("train_loss", 52),
    ]
    assert list(new[new["run_id"] == other]["step"]) == [1, 2, 3], "a run that is not held is read from its beginning"
    merged = {job: extended(held[job], news[job], 50), other: extended(held[other], news[other], 0)}
    pd.testing.assert_frame_equal(checked(merged), points(source, [job, other]))


@pytest.mark.parametrize("metrics", [None, ["eval_loss", "train_loss"]])
def test_whoever_waits_is_told_of_ever_more_rows_until_all_are_there(fresh, connect, metrics):
    project = fresh(seeded=False, max_rows=100)
    jobs = [add_job(project, 1), add_job(project, 2)]
    add_rows(project, jobs[0], 1, 2500)
    add_rows(project, jobs[1], 1, 40)
    told = []
    connect(project).load_curves(jobs, metrics, progress=lambda read, expected: told.append((read, expected)))
    read = [rows for rows, _ in told]
    assert read == sorted(read)
    assert all(expected is None or rows <= expected for rows, expected in told)
    assert told[-1] == (2540, 2540)
    assert len(told) > 20, "page by page"


# --- what travels ------------------------------------------------------------------------------------


def test_the_first_page_of_a_hundred_thousand_runs_is_one_request(fresh, connect):
    project = fresh(seeded=False)
    ann = project.users["ann"].id
    project.execute(
        f"insert into {JOBS} (user_id, status, model_name, created_at)"
        f" select '{ann}', 'completed', 'run ' || i, '2026-01-01'::timestamptz + i * interval '1 second'"
        " from generate_series(1, 100000) i"
    )
    source = connect(project)
    project.log.clear()
    page = source.list_runs(RunQuery())
    assert [run.name for run in page.runs] == [f"run {100000 - place}" for place in range(PAGE_SIZE)]
    assert page.total == page.source_total == 100_000
    assert page.statuses == {}, "not counted, and not made up from the page"
    assert len(project.log) == 1
    project.execute(f"delete from {JOBS} where model_name = 'run 100000'")
    page = source.list_runs(RunQuery())
    assert [run.name for run in page.runs] == [f"run {99_999 - place}" for place in range(PAGE_SIZE)]
    assert page.total == 100_000, "a long list is not counted each time"
    assert connect(project).list_runs(RunQuery()).total == 99_999


def test_a_short_list_is_counted_each_time(fresh, connect):
    project = fresh()
    source, runs = connect(project), len(project.jobs["ann"])
    assert source.list_runs(RunQuery(limit=1)).total == runs
    project.execute(f"delete from {JOBS} where id = '{project.jobs['ann'][0]}'")
    assert source.list_runs(RunQuery(limit=1)).total == runs - 1


def test_five_small_runs_are_five_requests_and_their_rows_one(plain, connect):
    source = connect(plain)
    ids = [run.run_id for run in source.list_runs(RunQuery(limit=5)).runs]
    plain.log.clear()
    source.load_runs(ids)
    assert len(plain.log) == 1
    lengths = plain.execute(f"select count(*) as n from {METRICS} where job_id = any ('{{{','.join(ids)}}}')")
    plain.log.clear()
    source.load_curves(ids)
    assert sum(int(row["n"]) for row in lengths) < 5000
    assert len(plain.log) == 6, "a page each, and one row that tells the columns"


def test_only_the_metrics_and_steps_asked_for_travel(plain, connect):
    source, job = connect(plain), plain.jobs["ann"][0]
    plain.log.clear()
    source.load_curves([job], ["eval_loss"], (100, 200))
    source.load_curves([job], ["no such metric"])
    rows = [parse_qs(entry.query) for entry in metric_requests(plain) if "eval_loss" in entry.query]
    (query,) = rows
    assert query["select"] == ["step,epoch,timestamp,eval_loss,again:step"]
    assert query["step"] == ["gte.100", "lte.200"]
    assert query["or"] == ["(eval_loss.not.is.null)"]
    assert len(plain.log) == 3, "the rows, when the run began, and one row that tells the columns"


@pytest.mark.parametrize("name", ["plain", "migrated", "old"])
def test_no_request_asks_for_the_credential_or_for_more_than_a_row_of_everything(request, connect, name):
    project = request.getfixturevalue(name)
    source = connect(project)
    page = source.list_runs(EVERYTHING)
    source.list_runs(RunQuery(search="llama job_toke", status=RunStatus.FAILED, sort=RunSort.DURATION))
    source.load_runs([run.run_id for run in page.runs])
    source.load_curves([run.run_id for run in page.runs], ["train_loss"], (1, 50))
    source.load_new_curves(list(project.jobs["ann"]), {})
    asked = [unquote(entry.path + "?" + entry.query) for entry in project.log.of("/rest/v1/")]
    assert len(asked) > 20
    for question in asked:
        assert "job_token" not in question
        assert "select=" in question
    (whole,) = (question for question in asked if "select=*" in question)
    assert whole.startswith(f"/rest/v1/{METRICS}?")
    assert whole.endswith("&limit=1"), "one row of the metrics tells the columns; the jobs are never read whole"
    for run in page.runs:
        assert "job-token-" not in repr(run)
    assert "job_token" not in JOB_COLUMNS


def test_columns_that_are_missing_are_found_out_once(old, connect):
    with project_for(old) as connections:
        for attempt in range(2):
            source = SupabaseSource(connections, reader_for(connections, old, "ann"))
            old.log.clear()
            page = source.list_runs(RunQuery())
            source.load_curves([page.runs[0].run_id])
            refused = [entry for entry in old.log if entry.status == 400]
            assert bool(refused) == (attempt == 0)
    assert {run.config == {} for run in page.runs} == {True}
    assert all(run.perplexity is None and run.updated_at is None for run in page.runs)
    assert all("cluster_name" not in run.extra for run in page.runs)


# --- readers apart -----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [("ann", "bob"), ("bob", "ann")])
def test_readers_with_the_same_ids_selected_never_see_each_others_rows(plain, connect, order):
    ids = (*plain.jobs["ann"], *plain.jobs["bob"])
    for name in (*order, *order):
        source = connect(plain, name)
        runs = reads.load_runs(source, ids)
        assert {run.run_id for run in runs} == set(plain.jobs[name])
        assert {run.run_id for run in reads.list_runs(source, EVERYTHING).runs} == set(plain.jobs[name])
        assert source.load_curves(ids).keys() <= set(plain.jobs[name])
        assert reads.load_data(source, runs[0]).curves.run_id == runs[0].run_id


def test_who_signs_in_after_somebody_else_reads_their_own_rows(plain):
    ids = (*plain.jobs["ann"], *plain.jobs["bob"])
    with project_for(plain) as connections:
        for name in ("ann", "bob", "ann"):
            reader = reader_for(connections, plain, name)
            source = SupabaseSource(connections, reader)
            assert {run.run_id for run in reads.load_runs(source, ids)} == set(plain.jobs[name])
            reader.sign_out()
        anonymous = SupabaseSource(connections)
        assert reads.load_runs(anonymous, ids) == ()
        assert anonymous.list_runs(EVERYTHING).total == 0, "row-level security that leaves nothing is no error"
        assert anonymous.load_curves(ids) == {}


def test_readers_at_the_same_time_stay_apart(plain):
    ids = (*plain.jobs["ann"], *plain.jobs["bob"])
    with project_for(plain) as connections:
        sources = {name: SupabaseSource(connections, reader_for(connections, plain, name)) for name in ("ann", "bob")}
        names = ["ann", "bob"] * 10

        def read(name):
            return name, {run.run_id for run in sources[name].load_runs(ids)}

        with ThreadPoolExecutor(8) as threads:
            for name, found in threads.map(read, names):
                assert found == set(plain.jobs[name])


def test_the_cache_key_names_project_and_reader(plain, migrated, connect):
    keys = [connect(project, name).cache_key for project in (plain, migrated) for name in ("ann", "bob", None)]
    assert len(set(keys)) == 6
    assert keys[0] == connect(plain, "ann").cache_key
    assert connect(plain).cache_key != connect(plain, metrics_table="other").cache_key
    for key in keys:
        assert plain.anon_key not in key
        assert not any(part.startswith("eyJ") for part in key.split(":"))


@pytest.mark.parametrize("key", ["anon_key", "publishable_key"])
def test_keys_of_either_kind_read(plain, connect, key):
    source = connect(plain, key=getattr(plain, key))
    assert source.list_runs(RunQuery()).total == len(plain.jobs["ann"])


def test_an_anonymous_visitor_reads_what_everybody_may(fresh, connect):
    project = fresh(seeded=False)
    project.execute(f"create policy everybody on {JOBS} for select to anon using (model_name = 'open')")
    add_job(project, 1, model_name="open")
    add_job(project, 2, model_name="closed")
    for key in (project.anon_key, project.publishable_key):
        page = connect(project, None, key=key).list_runs(EVERYTHING)
        assert [run.name for run in page.runs] == ["open"]


# --- filter, search and order ------------------------------------------------------------------------


def test_search_finds_what_matches(plain, connect):
    source = connect(plain)
    everything = source.list_runs(EVERYTHING).runs
    words = {word for run in everything for word in run.name.split()} | {"LLAMA 8b", "sft dpo", everything[0].dataset}
    words |= {everything[0].run_id, everything[0].run_id[:11], "(", ",", '"', "\\", "%", "_", "*", "a,b.c:d(e)", "\x00"}
    for word in sorted(words):
        page = source.list_runs(RunQuery(search=word, limit=10**9))
        found = {run.run_id for run in page.runs}
        expected = {run.run_id for run in everything if matches(run, word)}
        # A word may also occur inside an id, where the database does not look.
        inside = {run.run_id for run in everything if any(part in run.run_id[1:] for part in word.lower().split())}
        assert found <= expected, word
        assert expected - inside <= found, word
        assert page.total == len(found) <= page.source_total
        assert page.source_total > 0


def test_words_with_the_databases_own_signs_are_taken_as_they_are(fresh, connect):
    project = fresh(seeded=False)
    names = ["100%", "a_b", "axb", "back\\slash", "star*", 'say "hi"', "comma,dot.paren()", "Ünïcode 🦙"]
    for number, name in enumerate(names):
        add_job(project, number, model_name=name)
    source = connect(project)
    for name in names:
        found = source.list_runs(RunQuery(search=name, limit=10**9)).runs
        assert [run.name for run in found] == [name]


@pytest.mark.parametrize("search", ["x" * 10_000, "\ud800", "a " * 3000, "\x00"])
def test_a_search_for_nonsense_finds_nothing_and_fails_nowhere(plain, connect, search):
    assert connect(plain).list_runs(RunQuery(search=search)).total in (0, len(plain.jobs["ann"]))


def test_statuses_in_any_spelling_share_out_the_list(fresh, connect):
    project = fresh(seeded=False)
    written = ["completed", "Succeeded", " done ", "RUNNING", "pending", "odd", "", "failed", "canceled", "paused"]
    for number, status in enumerate(written):
        add_job(project, number, status=status)
    source = connect(project)
    for status in RunStatus:
        page = source.list_runs(RunQuery(status=status))
        expected = sorted(raw for raw in written if normalise_status(raw) is status)
        assert len(page.runs) == page.total == len(expected)
        assert {run.status for run in page.runs} <= {status}


ORDERED = {
    "created_at": ["2026-01-02", None, "2026-01-03", "2026-01-01", None],
    "best_eval_loss": ["0.5", None, "NaN", "0", "0.25"],
    "eval_loss": [None, "0.9", "0.2", None, "0.1"],
    "loss": ["0.3", None, "0.1", None, "0.2"],
    "final_loss": [None, "0.5", None, "0.4", None],
    "perplexity": ["3", "2", None, "1", "4"],
    "samples_per_second": ["1", None, "3", "2", None],
    "elapsed_seconds": ["60", "0", None, "5", "6"],
    "model_name": ["b", "a", None, "c", "d"],
    "status": ["running", "failed", "completed", "queued", "odd"],
}
EXPECTED = {
    RunSort.NEWEST: [2, 0, 3, 1, 4],
    RunSort.OLDEST: [3, 0, 2, 1, 4],
    RunSort.BEST_LOSS: [3, 4, 0, 2, 1],
    RunSort.LAST_LOSS: [4, 2, 1, 0, 3],
    RunSort.TRAIN_LOSS: [2, 4, 0, 3, 1],
    RunSort.PERPLEXITY: [3, 1, 0, 4, 2],
    RunSort.SPEED: [2, 3, 0, 1, 4],
    RunSort.DURATION: [1, 3, 4, 0, 2],
    RunSort.MODEL: [1, 0, 3, 4, 2],
    RunSort.STATUS: [2, 1, 4, 3, 0],
}


def test_orders_are_the_databases_with_what_is_missing_last(fresh, connect):
    project = fresh(seeded=False)
    for number in range(5):
        add_job(project, number, **{name: values[number] for name, values in ORDERED.items()})
    source = connect(project)
    for sort in RunSort:
        whole = [run.run_id for run in source.list_runs(RunQuery(sort=sort)).runs]
        assert whole == [JOB.format(number) for number in EXPECTED[sort]], sort
        for limit in range(6):
            page = source.list_runs(RunQuery(sort=sort, limit=limit))
            assert [run.run_id for run in page.runs] == whole[:limit]
            assert page.total == page.source_total == 5
            assert sum(page.statuses.values()) == (5 if limit == 5 else 0)


def test_a_search_without_any_match_is_told_from_a_project_without_runs(plain, fresh, connect):
    nothing = RunQuery(search="no-run-says-this")
    page = connect(plain).list_runs(nothing)
    assert (page.total, page.source_total) == (0, len(plain.jobs["ann"]))
    page = connect(fresh(seeded=False)).list_runs(nothing)
    assert (page.total, page.source_total) == (0, 0)


# --- tables that are not there -----------------------------------------------------------------------


def test_a_wrong_table_name_is_a_wrong_setting(plain, connect):
    with pytest.raises(SettingsError, match="Expected a table no_such_jobs") as raised:
        connect(plain, jobs_table="no_such_jobs").list_runs(RunQuery())
    assert "jobs_table" in raised.value.hint
    with pytest.raises(SettingsError, match="Expected a table no_such_rows"):
        connect(plain, metrics_table="no_such_rows").load_curves(plain.jobs["ann"][:1])


def test_tables_changed_round_are_a_wrong_setting(plain, connect):
    source = connect(plain, jobs_table=METRICS, metrics_table=JOBS)
    with pytest.raises(SettingsError, match="column"):
        source.load_curves(plain.jobs["ann"][:1])
