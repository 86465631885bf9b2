"""The optional migrations: what the database reduces is what lib/core makes of all rows, point for point."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from lib.core.curves.metric_curves import RunCurves, cut, frame_of
from lib.core.facts.metrics import LOGGED, metric_of
from lib.data.demo.source import METRICS_FILE
from lib.data.tables.metric_rows import curves_of_table
from tests import curves as whole_curves
from tests.curves import FRAME_DTYPES, checked
from tests.supabase.project import Project
from tests.supabase.stack import Stack, migrations

NASTY, ONE_POINT, NO_POINTS, RANDOM, EVERY_STEP = (str(uuid.UUID(int=number)) for number in range(1, 6))
STRANGE = str(uuid.UUID(int=99))
COUNTS = ["run_id", "metric", "total", "nan", "positive", "negative"]
RANGES = [None, (0, 10**9), (100, 700), (37, 37), (500, 100), (-5, 40)]

MakeProject = Callable[..., Project]


def ask(project: Project, run_ids: Sequence[str], *, token: str | None = None, **arguments: Any) -> httpx.Response:
    """Call the function, as the service key unless a user's token is given."""
    key = project.anon_key if token else project.service_key
    body = {"run_ids": list(run_ids), **arguments}
    return project.request("POST", "/rest/v1/rpc/reduced_metrics", key=key, token=token, json=body)


def reduced(project: Project, run_ids: Sequence[str], **arguments: Any) -> dict[str, Any]:
    answer = ask(project, run_ids, **arguments)
    assert answer.status_code == 200, answer.text
    return answer.json()


def in_range(steps: tuple[int, int] | None) -> dict[str, int]:
    return {} if steps is None else {"first_step": steps[0], "last_step": steps[1]}


def all_curves(table: pa.Table) -> dict[str, RunCurves]:
    """The curves of every run of a table."""
    return curves_of_table(table, table["job_id"].cast(pa.string()).unique().to_pylist())


def points_of(answer: dict[str, Any]) -> pd.DataFrame:
    """The answer's points as a table, in the order of such a table."""
    parts = [frame_of([])]
    for curve in answer["curves"]:
        columns = {name: curve[name] for name in ("run_id", "metric", "step")}
        numbers = {name: np.array(curve[name], "float64") for name in ("epoch", "elapsed_s", "value")}
        parts.append(pd.DataFrame(columns | numbers).astype(FRAME_DTYPES))
    return pd.concat(parts, ignore_index=True).sort_values(["run_id", "metric"], kind="stable", ignore_index=True)


def counts_of(answer: dict[str, Any]) -> list[tuple]:
    return sorted(tuple(curve[name] for name in COUNTS) for curve in answer["curves"])


def medians_of(answer: dict[str, Any]) -> dict[tuple[str, str], float | None]:
    return {(curve["run_id"], curve["metric"]): curve["median"] for curve in answer["curves"]}


def expected(
    curves: Mapping[str, RunCurves], run_ids: Sequence[str], buckets: int, steps: tuple[int, int] | None
) -> tuple[pd.DataFrame, list[tuple], dict[tuple[str, str], float | None]]:
    """What lib/core keeps of all points, its counts, and the medians of throughputs."""
    kept, counts, medians = {}, [], {}
    for run_id in set(run_ids) & curves.keys():
        run = curves[run_id] if steps is None else cut(curves[run_id], *steps)
        kept[run_id] = RunCurves(
            run_id,
            {
                metric: curve if metric_of(metric).evaluated else whole_curves.reduced(curve, buckets)
                for metric, curve in run.curves.items()
            },
        )
        for metric, curve in run.curves.items():
            value = curve.value
            bad = (int(np.isnan(value).sum()), int((value == np.inf).sum()), int((value == -np.inf).sum()))
            counts.append((run_id, metric, curve.logged - curve.lost, *bad))
            finite = value[np.isfinite(value)]
            said = metric.endswith("per_second") and len(finite)
            medians[run_id, metric] = float(np.median(finite)) if said else None
    return checked(kept), sorted(counts), medians


def assert_equal_to_core(
    project: Project,
    curves: Mapping[str, RunCurves],
    run_ids: Sequence[str],
    buckets: int,
    steps: tuple[int, int] | None = None,
) -> None:
    answer = reduced(project, run_ids, buckets=buckets, **in_range(steps))
    points, counts, medians = expected(curves, run_ids, buckets, steps)
    pd.testing.assert_frame_equal(points_of(answer), points, check_exact=True)
    assert counts_of(answer) == counts
    found = medians_of(answer)
    assert found == {
        key: None if median is None else pytest.approx(median, rel=1e-12) for key, median in medians.items()
    }


def insert(project: Project, table: pa.Table) -> None:
    """Add metrics rows, and the jobs of Ann that they belong to."""
    for run_id in table["job_id"].unique().to_pylist():
        ann = project.users["ann"].id
        project.execute(
            f"insert into local_training_jobs (id, user_id) values ('{run_id}', '{ann}') on conflict do nothing"
        )
    text = io.BytesIO()
    pa.csv.write_csv(table, text, pa.csv.WriteOptions(include_header=False))
    listed = ", ".join(f'"{column}"' for column in table.column_names)
    project.execute(
        f"copy local_training_metrics ({listed}) from stdin with (format csv);\n{text.getvalue().decode()}\\.\n"
    )


def moment(seconds: float | None) -> int | None:
    return None if seconds is None else int((1_767_225_600 + seconds) * 1e6)


def rows_table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """Rows of the metrics table; ids in the order given, unless they say otherwise."""
    kinds = {"id": pa.int64(), "job_id": pa.string(), "step": pa.int32(), "timestamp": pa.timestamp("us", tz="UTC")}
    names = ["id", "job_id", "step", "epoch", "timestamp", "train_loss", "eval_loss", "perplexity", "grad_norm"]
    names += ["tokens_per_second", "samples_per_second"]
    rows = [{"id": place} | row for place, row in enumerate(rows, 1)]
    return pa.table({name: pa.array([row.get(name) for row in rows], kinds.get(name, pa.float64())) for name in names})


def nasty_rows() -> list[dict[str, Any]]:
    """A run whose writer did everything that writers do."""
    nan, inf = float("nan"), float("inf")
    odd_values = {7: nan, 8: nan, 9: inf, 10: -inf, 300: None, 301: nan, 699: 0.0, 700: -0.0}
    rows: list[dict[str, Any]] = []
    for step in range(800):
        loss = odd_values.get(step, 3.0 - step % 50 / 100)
        row = {"job_id": NASTY, "step": step, "timestamp": moment(step * 1.5), "train_loss": loss, "grad_norm": 1.0}
        row["tokens_per_second"] = {5: nan, 6: inf, 7: -inf, 8: None}.get(step, 1000.1 + step * 37 % 101)
        row["samples_per_second"] = nan if step < 30 else None
        rows.append(row | {"epoch": None if step % 3 else step / 400})
        if step % 40 == 0:
            scores = {"eval_loss": nan if step == 80 else 2.0 + step / 1e4, "perplexity": inf if step == 120 else None}
            rows.append({"job_id": NASTY, "step": step, "timestamp": moment(step * 1.5 + 0.2), **scores})
    # Resumed from step 250: what is written later wins, and a null never does.
    for step in range(250, 420):
        again = {"train_loss": None if step % 5 == 0 else nan if step == 333 else 1.0 + step / 1e3, "epoch": 9.0}
        rows.append({"job_id": NASTY, "step": step, "timestamp": moment(2000 + step), **again})
    # Ids decide between equal timestamps, whatever the order of the rows; a row without a timestamp comes first.
    rows.append({"id": 9002, "job_id": NASTY, "step": 600, "timestamp": moment(5000), "train_loss": 42.0})
    rows.append({"id": 9001, "job_id": NASTY, "step": 600, "timestamp": moment(5000), "train_loss": -42.0})
    rows.append({"id": 9003, "job_id": NASTY, "step": 601, "timestamp": None, "train_loss": 77.0})
    rows.append({"id": 9004, "job_id": NASTY, "step": 900, "timestamp": None, "train_loss": 5.5, "epoch": 0.0})
    rows.append({"id": 9005, "job_id": NASTY, "step": None, "timestamp": moment(-500), "train_loss": 5.5})
    rows.append({"id": 9006, "job_id": NASTY, "step": -1, "timestamp": moment(-400), "train_loss": 5.5})
    rows.append({"job_id": ONE_POINT, "step": 37, "timestamp": moment(0), "train_loss": 1.5})
    rows.append({"job_id": NO_POINTS, "step": 1, "timestamp": moment(3)})
    return rows


def random_table(count: int = 20_000) -> pa.Table:
    """Rows in no order, with many repeated steps, equal values, equal times and gaps."""
    draw = np.random.default_rng(20)
    values = draw.normal(2.0, 0.5, count).round(2)
    values[draw.random(count) < 0.02] = np.nan
    values[draw.random(count) < 0.01] = np.inf
    values[draw.random(count) < 0.01] = -np.inf
    moments = 1_767_225_600_000_000 + draw.integers(0, count // 4, count) * 333_333
    return pa.table(
        {
            "id": pa.array(1 + draw.permutation(count)),
            "job_id": pa.array([RANDOM] * count),
            "step": pa.array(draw.integers(0, 15_000, count), pa.int32()),
            "epoch": pa.array(draw.random(count), mask=draw.random(count) < 0.3),
            "timestamp": pa.array(moments, mask=draw.random(count) < 0.1).cast(pa.timestamp("us", tz="UTC")),
            "train_loss": pa.array(values, mask=draw.random(count) < 0.2),
            "eval_loss": pa.array(draw.random(count), mask=draw.random(count) < 0.95),
            "grad_norm": pa.array(draw.lognormal(size=count), mask=draw.random(count) < 0.5),
        }
    )


@pytest.fixture(scope="module")
def nasty(stack: Stack) -> tuple[Project, dict[str, RunCurves]]:
    """A project with the nasty runs, and the curves of all its rows."""
    project = stack.project("nasty", migrated=True, seeded=False)
    table = rows_table(nasty_rows())
    insert(project, table)
    yield project, all_curves(table)
    stack.remove(project)


@pytest.fixture(scope="module")
def random_rows(stack: Stack) -> tuple[Project, dict[str, RunCurves]]:
    """A project with random rows and with a run that logs every step, and the curves of all its rows."""
    project = stack.project("random_rows", migrated=True, seeded=False)
    insert(project, random := random_table())
    steps = np.arange(6007, dtype="int32")
    loss = np.sin(steps / 7.0)
    ids = pa.array(100_000 + steps)
    every = pa.table({"id": ids, "job_id": [EVERY_STEP] * len(steps), "step": steps, "train_loss": loss})
    insert(project, every.append_column("timestamp", pa.nulls(len(steps), pa.timestamp("us", tz="UTC"))))
    yield project, all_curves(random) | all_curves(every)
    stack.remove(project)


@pytest.mark.parametrize(("buckets", "steps"), [(1, None), (7, (101, 1_000)), (100, None), (1000, (0, 50))])
def test_the_demo_runs_are_reduced_as_lib_core_does_it(
    migrated: Project, buckets: int, steps: tuple[int, int] | None
) -> None:
    curves = all_curves(pq.read_table(METRICS_FILE))
    run_ids = [*migrated.jobs["ann"], *migrated.jobs["bob"]]
    assert curves.keys() <= set(run_ids)
    assert_equal_to_core(migrated, curves, run_ids, buckets, steps)


@pytest.mark.parametrize("steps", RANGES)
@pytest.mark.parametrize("buckets", [1, 3, 64, 199, 1000])
def test_a_nasty_run_is_reduced_as_lib_core_does_it(
    nasty: tuple[Project, dict[str, RunCurves]], buckets: int, steps: tuple[int, int] | None
) -> None:
    assert_equal_to_core(*nasty, [NASTY, ONE_POINT, NO_POINTS], buckets, steps)


@pytest.mark.parametrize(
    ("buckets", "steps"),
    [(1, None), (10, (1, 9_999)), (333, None), (1000, None), (1000, (5_000, 5_400)), (2000, (1, 14_998)), (9999, None)],
)
def test_random_rows_are_reduced_as_lib_core_does_it(
    random_rows: tuple[Project, dict[str, RunCurves]], buckets: int, steps: tuple[int, int] | None
) -> None:
    assert_equal_to_core(*random_rows, [RANDOM], buckets, steps)


@pytest.mark.parametrize("buckets", [7, 78, 462, 858, 1001])
def test_steps_on_the_border_of_two_buckets_fall_to_the_same_side(
    random_rows: tuple[Project, dict[str, RunCurves]], buckets: int
) -> None:
    # 6006 = 2 * 3 * 7 * 11 * 13: with these numbers of buckets every border lies on a step.
    assert_equal_to_core(*random_rows, [EVERY_STEP], buckets)


def test_a_curve_of_four_points_a_bucket_is_whole_and_one_of_more_is_not(
    random_rows: tuple[Project, dict[str, RunCurves]],
) -> None:
    project, _ = random_rows
    for last, kept in ((3999, 4000), (4000, None)):
        (curve,) = reduced(project, [EVERY_STEP], buckets=1000, last_step=last)["curves"]
        assert curve["total"] == last + 1
        assert len(curve["step"]) == kept or kept is None
    assert len(curve["step"]) < 4000


def test_the_answer_is_not_cut_at_the_most_rows_of_an_answer(random_rows: tuple[Project, dict[str, RunCurves]]) -> None:
    project, curves = random_rows
    assert project.max_rows == 1000
    (curve,) = reduced(project, [EVERY_STEP], buckets=10_000)["curves"]
    assert len(curve["step"]) == curve["total"] == curves[EVERY_STEP].points > 1000


def test_runs_come_once_and_in_the_order_asked_for(nasty: tuple[Project, dict[str, RunCurves]]) -> None:
    project, _ = nasty
    asked = [NO_POINTS, STRANGE, ONE_POINT, NASTY, ONE_POINT]
    answer = reduced(project, asked, metrics=["train_loss", "eval_loss", "train_loss"])
    assert [run["run_id"] for run in answer["runs"]] == [NO_POINTS, ONE_POINT, NASTY]
    curves = [(curve["run_id"], curve["metric"]) for curve in answer["curves"]]
    assert curves == [(ONE_POINT, "train_loss"), (NASTY, "train_loss"), (NASTY, "eval_loss")]
    assert reduced(project, []) == {"runs": [], "curves": []}
    assert reduced(project, [NASTY], metrics=[])["curves"] == []


def test_elapsed_seconds_count_from_the_run_s_first_timestamp_whatever_the_range(
    nasty: tuple[Project, dict[str, RunCurves]],
) -> None:
    project, _ = nasty
    answer = reduced(project, [NASTY], metrics=["train_loss"], first_step=100, last_step=101)
    assert answer["runs"] == [{"run_id": NASTY, "first_timestamp_us": moment(0)}]
    assert answer["curves"][0]["elapsed_s"] == [150.0, 151.5]


@pytest.mark.parametrize(("steps", "known"), [((100, 199), 100), ((100, 198), 99), ((0, 9), 6), ((5, 7), 0)])
def test_the_median_of_a_throughput_is_that_of_all_finite_values_in_range(
    nasty: tuple[Project, dict[str, RunCurves]], steps: tuple[int, int], known: int
) -> None:
    project, curves = nasty
    answer = reduced(project, [NASTY], buckets=2, **in_range(steps))
    medians = {curve["metric"]: curve["median"] for curve in answer["curves"]}
    values = cut(curves[NASTY], *steps).get("tokens_per_second").value
    finite = values[np.isfinite(values)]
    assert len(finite) == known
    assert medians["tokens_per_second"] == (pytest.approx(np.median(finite), rel=1e-12) if known else None)
    assert {medians[metric] for metric in medians.keys() - {"tokens_per_second"}} == {None}


def test_a_stranger_s_run_is_absent(migrated: Project) -> None:
    hers, his = migrated.jobs["ann"], migrated.jobs["bob"]
    both = reduced(migrated, [*his, *hers])
    seen = reduced(migrated, [*his, *hers], token=migrated.sign_in("ann"))
    assert {run["run_id"] for run in both["runs"]} - set(hers)
    assert seen["runs"] == [run for run in both["runs"] if run["run_id"] in hers]
    assert seen["curves"] == [curve for curve in both["curves"] if curve["run_id"] in hers]
    assert seen["curves"]


def test_without_a_sign_in_nothing_is_seen(migrated: Project) -> None:
    answer = ask(migrated, migrated.jobs["ann"], token=migrated.anon_key)
    assert answer.json() == {"runs": [], "curves": []}


@pytest.mark.parametrize(
    "name", ["no_such", "job_id", "id", "step", "epoch", "timestamp", 'x"; drop table y', "", None]
)
def test_what_is_no_metric_is_an_error(migrated: Project, name: str | None) -> None:
    answer = ask(migrated, migrated.jobs["ann"], metrics=["train_loss", name])
    assert answer.status_code == 400
    assert answer.json()["code"] == "22023"
    assert answer.json()["message"] == f"Unknown metric: {'null' if name is None else name}."
    assert "train_loss" in answer.json()["hint"]


@pytest.mark.parametrize("buckets", [0, -1, None])
def test_less_than_one_bucket_is_an_error(migrated: Project, buckets: int | None) -> None:
    answer = ask(migrated, migrated.jobs["ann"], buckets=buckets)
    assert (answer.status_code, answer.json()["code"]) == (400, "22023")


def test_it_reads_only_so_that_get_will_do(migrated: Project) -> None:
    (run_id, *_) = migrated.jobs["ann"]
    arguments = {"run_ids": f"{{{run_id}}}", "metrics": "{train_loss}", "buckets": "20"}
    answer = migrated.request("GET", "/rest/v1/rpc/reduced_metrics", token=migrated.sign_in("ann"), params=arguments)
    assert answer.json() == reduced(migrated, [run_id], metrics=["train_loss"], buckets=20)
    assert answer.json()["curves"]


def test_it_runs_with_the_caller_s_rights_and_an_empty_search_path(migrated: Project) -> None:
    (function,) = migrated.execute(
        "select prosecdef, provolatile, array_to_string(proconfig, ' ') as settings from pg_proc"
        " where proname = 'reduced_metrics'"
    )
    assert (function["prosecdef"], function["provolatile"]) == ("f", "s")
    assert 'search_path=""' in function["settings"]
    assert "jit=off" in function["settings"]


def test_without_some_columns_their_metrics_are_unknown_and_the_rest_is_read(fresh: MakeProject) -> None:
    project = fresh(tables="old", migrated=True)
    missing = ["perplexity", "train_perplexity", "tokens_per_second", "epoch"]
    curves = all_curves(pq.read_table(METRICS_FILE).drop_columns(missing))
    assert_equal_to_core(project, curves, [*project.jobs["ann"], *project.jobs["bob"]], 50)
    assert ask(project, project.jobs["ann"], metrics=["perplexity"]).json()["code"] == "22023"


def test_a_table_without_timestamps_and_ids_will_do(fresh: MakeProject) -> None:
    project = fresh(migrated=True, seeded=False)
    project.execute("alter table local_training_metrics drop column id, drop column timestamp, drop column eval_loss")
    table = pa.table({"job_id": [ONE_POINT] * 3, "step": [5, 1, 3], "train_loss": [0.5, None, 1.5]})
    insert(project, table)
    assert_equal_to_core(project, all_curves(table), [ONE_POINT], 1)
    assert reduced(project, [ONE_POINT])["runs"] == [{"run_id": ONE_POINT, "first_timestamp_us": None}]


def test_further_numeric_columns_are_metrics_and_evaluated_ones_are_whole(fresh: MakeProject) -> None:
    project = fresh(migrated=True, seeded=False)
    project.execute(
        "alter table local_training_metrics drop column timestamp, add column eval_accuracy real,"
        " add column accuracy numeric, add column best_step integer, add column note text, add column node_id bigint"
    )
    names = [*LOGGED, "eval_accuracy", "accuracy", "best_step", "node_id"]
    steps = np.arange(30)
    numbers = {name: pa.array(steps % 10 if name in ("best_step", "node_id") else steps % 10 / 10) for name in names}
    table = pa.table({"id": steps + 1, "job_id": [RANDOM] * 30, "step": steps, **numbers})
    insert(project, table)
    curves = all_curves(table)
    assert curves[RANDOM].curves.keys() == set(names) - {"node_id"}
    assert_equal_to_core(project, curves, [RANDOM], 2)
    assert ask(project, [RANDOM], metrics=["note"]).json()["code"] == "22023"


def test_the_migrations_can_be_run_again(fresh: MakeProject, stack: Stack) -> None:
    project = fresh(migrated=True)
    before = reduced(project, project.jobs["ann"], buckets=10)
    for file in migrations():
        stack.cluster.run_file(project.database, file)
    assert reduced(project, project.jobs["ann"], buckets=10) == before
    indexes = project.execute("select indexname from pg_indexes where tablename = 'local_training_metrics'")
    names = [index["indexname"] for index in indexes]
    assert names.count("local_training_metrics_job_step") == 1
    assert names.count("local_training_metrics_evaluated") == 1


def test_evaluations_are_found_by_their_own_index(fresh: MakeProject) -> None:
    project = fresh(migrated=True, seeded=False)
    insert(project, random_table())
    project.execute("analyze local_training_metrics")
    plan = project.execute(
        "explain (format json) select step, eval_loss from local_training_metrics"
        f" where job_id = '{RANDOM}' and step >= 0 and eval_loss is not null"
    )
    assert "local_training_metrics_evaluated" in str(plan)
