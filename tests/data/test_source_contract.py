"""What holds for every source of runs. A new source is done when it stands in ``FACTORIES`` and passes."""

from __future__ import annotations

import io
import json
import math
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.metrics import metric_of
from lib.core.facts.query import RunQuery, RunSort
from lib.core.facts.runs import RunStatus, RunSummary, eval_loss_of, train_loss_of
from lib.core.facts.values import finite
from lib.data.demo.source import JOBS_FILE, METRICS_FILE, EmbeddedSource
from lib.data.folder import source as folder
from lib.data.folder.source import FolderSource
from lib.data.joined import joined_with
from lib.data.source import RunSource
from lib.data.upload.upload import Dropped, Upload
from tests.curves import checked, reduced
from tests.matching import matches

PLANTED_SECRET = "hf_PlantedSecretPlantedSecret"
HOSTILE_NAMES = (
    "<img src=x onerror=alert(1)>",
    "**bold** [link](javascript:alert(1)) $x^2$ :red[x]",
    "line one\nline two",
    "nul null None NaN",
    "🦙 Ünïcode \u202etfel",
    "a'; DROP TABLE runs; --",
    "%2e%2e%2f&run=1#x?",
    "x" * 120,
)
EVERYTHING = RunQuery(limit=10**9)


def make_folder(path: Path) -> RunSource:
    for position, name in enumerate(HOSTILE_NAMES):
        rows = [
            {"step": step, "epoch": step / 10, "loss": 1 / step, "grad_norm": "NaN" if step == 3 else 1.0}
            for step in range(1, 10 + position)
        ]
        if position % 2:
            rows.append({"step": 9, "eval_loss": 0.5 - position / 100, "eval_f1": {name: 0.25}})
        if position % 3 == 0:
            rows.append({"step": 9, "train_runtime": 10.0 * position, "train_loss": 1.0})
        state = {"global_step": 9, "max_steps": 9 if position < 4 else 20, "log_history": rows}
        (path / name).mkdir()
        (path / name / "trainer_state.json").write_text(json.dumps(state), encoding="utf-8")
        args = {"hub_token": PLANTED_SECRET, "dataset_name": f"data/{position}"}
        (path / name / "training_args.json").write_text(json.dumps(args), encoding="utf-8")
    (path / "empty").mkdir()
    (path / "empty" / "trainer_state.json").write_text('{"log_history": []}', encoding="utf-8")
    return FolderSource(path)


def make_formats(path: Path) -> RunSource:
    """Runs that other programs logged, one of them in two forms, several in one file, beside those of a ``Trainer``."""
    make_folder(path)
    for position, name in enumerate(HOSTILE_NAMES[:4]):
        folder = path / f"others {position} {name}"
        folder.mkdir()
        rows = [f"0,{step},{1 / step},{0.5 + 1 / step if step % 3 == 0 else ''}" for step in range(1, 10 + position)]
        head = "epoch,step,train_loss,val_loss"
        (folder / "metrics.csv").write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
        lines = [
            json.dumps({"current_steps": step, "total_steps": 20, "loss": 2 / step, "lr": 1e-4, "epoch": step / 10})
            for step in range(1, 8 + position)
        ]
        (path / f"lines {position}").mkdir()
        (path / f"lines {position}" / "trainer_log.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (path / f"lines {position}" / "training_args.json").write_text(
            json.dumps({"hub_token": PLANTED_SECRET}), encoding="utf-8"
        )
    plain = ("first", "second", "third")
    heads = ",".join(f'"{name} - train/loss{end}"' for name in plain for end in ("", "__MIN", "__MAX"))
    cells = [
        ",".join([str(step), *(str((1 + place) / step) for place in range(3) for _ in range(3))])
        for step in range(1, 12)
    ]
    (path / "export.csv").write_text("\n".join((f'"Step",{heads}', *cells)) + "\n", encoding="utf-8")
    return FolderSource(path)


def make_embedded(path: Path) -> RunSource:
    return EmbeddedSource()


@dataclass(frozen=True)
class Changing:
    """Runs that somebody changes.

    Attributes:
        reader: Opens the source, as another reader would.
        changes: By what is done: the id of the one run that it concerns, and how to do it.
    """

    reader: Callable[[], RunSource]
    changes: Mapping[str, tuple[str, Callable[[], object]]]


def changing_folder(path: Path) -> Changing:
    """Three runs; whatever is put here is as old as it looks, as copies by ``rsync -a`` are."""
    old = 1_600_000_000

    def put(place: str, content: str) -> None:
        (path / place).parent.mkdir(parents=True, exist_ok=True)
        (path / place).write_text(content, encoding="utf-8")
        os.utime(path / place, (old, old))

    def log(loss: float, steps: int = 4) -> str:
        rows = [{"step": step, "loss": loss} for step in range(1, steps + 1)]
        return json.dumps({"global_step": steps, "max_steps": 9, "log_history": rows})

    for number, run in enumerate(("a", "b", "c"), 1):
        # None is like another: a run also says which one its log is a copy of.
        put(f"{run}/trainer_state.json", log(float(number)))
        put(f"{run}/checkpoint-2/trainer_state.json", log(1.0, 2))
        put(f"{run}/checkpoint-3/adapter_model.safetensors", "")
        put(f"{run}/training_args.json", '{"learning_rate": 0.001}')
    return Changing(
        lambda: FolderSource(path),
        {
            "a row more": ("a", lambda: put("a/trainer_state.json", log(1.0, 5))),
            "another value, the size and the time of writing the same": (
                "a",
                lambda: put("a/trainer_state.json", log(9.0, 5)),
            ),
            "another config of the same size": ("b", lambda: put("b/training_args.json", '{"learning_rate": 0.002}')),
            "a side file more": ("b", lambda: put("b/eval_results.json", '{"eval_loss": 1.5}')),
            "a side file less": ("b", lambda: (path / "b" / "eval_results.json").unlink()),
            "a side file of a checkpoint": ("c", lambda: put("c/checkpoint-2/adapter_config.json", '{"r": 8}')),
            "a checkpoint less": ("c", lambda: shutil.rmtree(path / "c" / "checkpoint-2")),
            "a checkpoint without a log less": ("c", lambda: shutil.rmtree(path / "c" / "checkpoint-3")),
            "a checkpoint without a log more": ("c", lambda: (path / "c" / "checkpoint-4").mkdir()),
        },
    )


def changing_formats(path: Path) -> Changing:
    """Runs of other programs, and three in one file."""

    def put(place: str, *lines: str) -> None:
        (path / place).parent.mkdir(parents=True, exist_ok=True)
        (path / place).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def table(level: float, rows: int) -> list[str]:
        cells = (f"0,{step},{level / step},{level + 1 / step}" for step in range(1, rows))
        return ["epoch,step,train_loss,val_loss", *cells]

    def export(more: float) -> list[str]:
        heads = ",".join(f'"{name} - train/loss{end}"' for name in ("x", "y", "z") for end in ("", "__MIN", "__MAX"))
        values = [[1 / step, (2 + more * (step == 9)) / step, 3 / step] for step in range(1, 12)]
        rows = [",".join([str(at), *(str(each) for each in row for _ in range(3))]) for at, row in enumerate(values, 1)]
        return [f'"Step",{heads}', *rows]

    for level, name in enumerate("ab", 1):
        put(f"{name}/lightning_logs/version_0/metrics.csv", *table(float(level), 20))
    put("export.csv", *export(0.0))
    ids = {run.name: run.run_id for run in FolderSource(path).list_runs(EVERYTHING).runs}
    first, second = (next(run_id for name, run_id in ids.items() if name.split("/")[0] == each) for each in "ab")
    return Changing(
        lambda: FolderSource(path),
        {
            "a row more": (first, lambda: put("a/lightning_logs/version_0/metrics.csv", *table(1.0, 21))),
            "another value": (second, lambda: put("b/lightning_logs/version_0/metrics.csv", *table(2.5, 20))),
            "settings come": (second, lambda: put("b/lightning_logs/version_0/hparams.yaml", "lr: 0.1")),
            "one run of a file": (ids["y"], lambda: put("export.csv", *export(1.0))),
        },
    )


def changing_embedded(path: Path) -> Changing:
    """The demo's runs, in a file of our own."""
    jobs = path / "jobs.parquet"
    table = pq.read_table(JOBS_FILE)
    pq.write_table(table, jobs)
    changed = {"status": "failed", "config": '{"training": {"seed": 7}}', "current_step": 1, "user_id": "somebody"}

    def put(column: str, row: int) -> None:
        now = pq.read_table(jobs)
        values = now[column].to_pylist()
        values[row] = changed[column]
        place = now.column_names.index(column)
        pq.write_table(now.set_column(place, now.schema.field(column), pa.array(values, now[column].type)), jobs)

    ids = table["id"].to_pylist()
    return Changing(
        lambda: EmbeddedSource(jobs, METRICS_FILE),
        {column: (ids[row], lambda column=column, row=row: put(column, row)) for row, column in enumerate(changed)},
    )


UPLOADS: list[Upload] = []
"""Uploads go when nobody holds them."""


def make_joined(path: Path) -> RunSource:
    """The demo's runs and those that somebody uploaded, as hostile as those of a folder."""
    (path / "sent").mkdir()
    make_folder(path / "sent")
    upload = Upload()
    UPLOADS.append(upload)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted((path / "sent").rglob("*.json")):
            archive.write(file, file.relative_to(path / "sent"))
    refused = upload.take([Dropped("sent.zip", packed, packed.tell())])
    assert refused == ()
    return joined_with(EmbeddedSource(), upload.source)


def changing_joined(path: Path) -> Changing:
    """A folder of which the runs change, beside an upload."""
    folder = changing_folder(path / "runs")
    upload = Upload()
    UPLOADS.append(upload)
    log = json.dumps({"global_step": 2, "log_history": [{"step": 1, "loss": 5.0}, {"step": 2, "loss": 6.0}]}).encode()
    assert upload.take([Dropped("trainer_state.json", io.BytesIO(log), len(log))]) == ()
    return Changing(lambda: joined_with(folder.reader(), upload.source), folder.changes)


CHANGING = {
    "joined": changing_joined,
    "folder": changing_folder,
    "formats": changing_formats,
    "embedded": changing_embedded,
}

FACTORIES = {"joined": make_joined, "folder": make_folder, "formats": make_formats, "embedded": make_embedded}


@pytest.fixture(scope="module", params=FACTORIES)
def make_source(request, tmp_path_factory) -> Callable[[], RunSource]:
    return lambda: FACTORIES[request.param](tmp_path_factory.mktemp("runs"))


@pytest.fixture(params=CHANGING)
def changing(request, tmp_path, monkeypatch) -> Changing:
    monkeypatch.setattr(folder, "SCAN_INTERVAL_S", 0.0)
    return CHANGING[request.param](tmp_path)


@pytest.fixture(scope="module")
def source(make_source) -> RunSource:
    return make_source()


@pytest.fixture(scope="module")
def runs(source) -> tuple[RunSummary, ...]:
    listed = source.list_runs(EVERYTHING).runs
    assert listed, "the laws below say nothing about a source without runs"
    return listed


@pytest.fixture(scope="module")
def curves(source, runs) -> pd.DataFrame:
    return points(source, [run.run_id for run in runs])


def points(source: RunSource, *query: object) -> pd.DataFrame:
    """What the source has to say to a query, as a table."""
    found = source.load_curves(*query)
    assert all(run.is_complete for run in found.values()), "nobody allowed points to be left out"
    return checked(found)


def arrays(curves: dict[str, RunCurves]) -> list[np.ndarray]:
    each = [curve for run in curves.values() for curve in run.curves.values()]
    return [array for curve in each for array in (curve.step, curve.value, curve.epoch, curve.elapsed_s)]


def test_ids_are_unique(runs):
    assert len({run.run_id for run in runs}) == len(runs)


def test_every_listed_run_can_be_loaded_by_its_id(source, runs):
    for run in runs:
        (loaded,) = source.load_runs([run.run_id])
        assert repr(loaded) == repr(run)


def versions(source: RunSource, sort: RunSort = RunSort.NEWEST) -> dict[str, str]:
    return {run.run_id: run.version for run in source.list_runs(RunQuery(sort=sort, limit=10**9)).runs}


def test_a_version_stays_as_long_as_nothing_changes_however_one_asks(source, runs):
    before = {run.run_id: run.version for run in runs}
    assert len(set(before.values())) == len(runs)
    assert all(version.strip() for version in before.values())
    for sort in RunSort:
        assert versions(source, sort) == before
    for some in ([*reversed(before)], list(before)[:1]):
        assert {run.run_id: run.version for run in source.load_runs(some)} == {each: before[each] for each in some}


def test_what_changed_has_another_version_and_nothing_else_has(changing):
    source = changing.reader()
    held = versions(source)
    assert versions(changing.reader()) == held
    for what, (run_id, change) in changing.changes.items():
        change()
        found = versions(changing.reader())
        assert found.keys() == held.keys()
        assert {each for each in found if found[each] != held[each]} == {run_id}, what
        assert versions(changing.reader(), RunSort.MODEL) == found
        held = found
    # A source that looks again at what it has read sees the same as one that is new.
    assert isinstance(source, EmbeddedSource) or versions(source) == held


def test_runs_come_in_the_order_asked_for_without_unknown_ids(source, runs):
    ids = [run.run_id for run in reversed(runs)]
    loaded = source.load_runs(["no such run", *ids, ""])
    assert [run.run_id for run in loaded] == ids
    assert source.load_runs([]) == ()


def test_curves_are_those_of_the_runs(curves, runs):
    assert len(curves)
    assert set(curves["run_id"]) <= {run.run_id for run in runs}
    expected = curves.sort_values(["run_id", "metric", "step"], ignore_index=True)
    pd.testing.assert_frame_equal(curves, expected)


def test_times_in_curves_start_at_the_first_row_of_the_run(curves):
    elapsed = curves["elapsed_s"].dropna()
    assert (elapsed >= 0).all()
    assert (curves["step"] >= 0).all()


def test_curves_do_not_depend_on_the_order_or_repetition_of_ids(source, runs, curves):
    ids = [run.run_id for run in runs]
    pd.testing.assert_frame_equal(points(source, [*reversed(ids), *ids]), curves)


def test_curves_of_one_run_are_those_among_all(source, runs, curves):
    for run in runs[:5]:
        alone = points(source, [run.run_id])
        among = curves[curves["run_id"] == run.run_id].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, among)


@pytest.mark.parametrize("ids", [[], ["no such run"], ["no such run", ""]])
def test_unknown_runs_are_absent(source, ids):
    assert source.load_curves(ids) == {}


def test_only_runs_with_values_are_there(source, runs, curves):
    ids = [run.run_id for run in runs]
    assert source.load_curves([*ids, "no such run"]).keys() == set(curves["run_id"])


def test_nobody_can_change_what_another_reader_gets(source, runs, curves):
    ids = [run.run_id for run in runs]
    for query in ((), (["train_loss"],), (None, (0, 10**9))):
        mine, theirs = arrays(source.load_curves(ids, *query)), arrays(source.load_curves(ids, *query))
        assert len(mine) == len(theirs) > 0
        for one, other in zip(mine, theirs, strict=True):
            assert not one.flags.writeable
            assert not other.flags.writeable
    pd.testing.assert_frame_equal(points(source, ids), curves)


@pytest.mark.parametrize("buckets", [1, 3, 1000])
def test_curves_that_may_be_reduced_keep_extremes_ends_evaluations_and_counts(source, runs, buckets):
    ids = [run.run_id for run in runs]
    whole, few = source.load_curves(ids), source.load_curves(ids, None, None, buckets)
    checked(few)
    assert few.keys() == whole.keys()
    for run_id, run in whole.items():
        assert run.curves.keys() == few[run_id].curves.keys() | set(few[run_id].unread)
        for metric, curve in run.curves.items():
            part = few[run_id].curves[metric]
            assert (part.logged, part.lost) == (curve.logged, curve.lost)
            least = reduced(curve, buckets) if not metric_of(metric).evaluated else curve
            at = np.searchsorted(part.step, least.step)
            assert (part.step[at] == least.step).all()
            assert np.array_equal(part.value[at], least.value, equal_nan=True)


@pytest.mark.parametrize("metrics", [["train_loss"], ["eval_loss", "grad_norm"], ["no such metric"], []])
@pytest.mark.parametrize("steps", [None, (0, 0), (5, 9), (9, 5), (3, 10**12)])
def test_filters_equal_filtering_the_whole(source, runs, curves, metrics, steps):
    ids = [run.run_id for run in runs]
    for names in (metrics, None):
        keep = curves["metric"].isin(names) if names is not None else curves["step"] >= 0
        if steps is not None:
            keep &= curves["step"].between(*steps)
        filtered = points(source, ids, names, steps)
        pd.testing.assert_frame_equal(filtered, curves[keep].reset_index(drop=True))


@pytest.mark.parametrize("sort", RunSort)
def test_a_page_is_the_beginning_of_the_whole_list(source, runs, sort):
    whole = source.list_runs(RunQuery(sort=sort, limit=10**9))
    assert {run.run_id for run in whole.runs} == {run.run_id for run in runs}
    for limit in (0, 1, 2, len(runs) - 1, len(runs), len(runs) + 1):
        page = source.list_runs(RunQuery(sort=sort, limit=limit))
        assert [run.run_id for run in page.runs] == [run.run_id for run in whole.runs[:limit]]
        assert page.total == page.source_total == len(runs)
        assert page.statuses == whole.statuses


def test_status_filters_share_out_the_whole_list(source, runs):
    everything = source.list_runs(EVERYTHING)
    assert sum(everything.statuses.values()) == everything.total == len(runs)
    for status in RunStatus:
        page = source.list_runs(RunQuery(status=status, limit=10**9))
        assert {run.status for run in page.runs} <= {status}
        assert page.total == len(page.runs) == everything.statuses.get(status, 0)
        assert page.statuses == everything.statuses
        assert page.source_total == len(runs)


def test_search_finds_what_matches_and_nothing_else(source, runs):
    words = {run.name.split()[0] for run in runs if run.name.split()}
    words |= {run.dataset for run in runs if run.dataset and " " not in run.dataset}
    for word in [*sorted(words)[:10], "  ", "no-run-says-this"]:
        page = source.list_runs(RunQuery(search=word.upper(), limit=10**9))
        assert {run.run_id for run in page.runs} == {run.run_id for run in runs if matches(run, word)}
        assert page.total == len(page.runs) == sum(page.statuses.values())
        assert page.source_total == len(runs)


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        (RunSort.NEWEST, lambda run: run.created_at and -run.created_at.timestamp()),
        (RunSort.OLDEST, lambda run: run.created_at and run.created_at.timestamp()),
        (RunSort.BEST_LOSS, eval_loss_of),
        (RunSort.LAST_LOSS, lambda run: finite(run.eval_loss)),
        (RunSort.TRAIN_LOSS, train_loss_of),
        (RunSort.PERPLEXITY, lambda run: finite(run.perplexity)),
        (RunSort.SPEED, lambda run: None if run.samples_per_second is None else -run.samples_per_second),
        (RunSort.DURATION, lambda run: run.duration_s),
        (RunSort.STATUS, lambda run: list(RunStatus).index(run.status)),
        (RunSort.MODEL, lambda run: run.name.casefold() or None),
    ],
)
def test_sorted_lists_ascend_and_end_with_what_is_missing(source, sort, key):
    values = [key(run) for run in source.list_runs(RunQuery(sort=sort, limit=10**9)).runs]
    known = [value for value in values if value is not None]
    assert values[: len(known)] == sorted(known)
    assert values[len(known) :] == [None] * (len(values) - len(known))


def test_the_cache_key_names_the_data_and_no_secret(make_source, source):
    assert isinstance(source.cache_key, str)
    assert source.cache_key.strip()
    for said in (source.cache_key, source.title):
        assert PLANTED_SECRET not in said
        assert not re.search(r"eyJ|service_role|password|secret|api_?key", said, re.IGNORECASE)
    assert isinstance(source.title, str)
    assert isinstance(source.synthetic, bool)
    assert source.now().utcoffset() == timedelta(0)


def test_names_and_ids_are_text_that_can_be_sent(runs):
    for run in runs:
        assert isinstance(run.name, str)
        assert run.run_id == run.run_id.strip() != ""
        for said in (run.run_id, run.name, run.dataset or "", run.raw_status or "", *run.notes):
            assert said.encode("utf-8").decode("utf-8") == said


def test_moments_have_a_zone_and_shares_lie_between_none_and_all(runs):
    for run in runs:
        for when in (run.created_at, run.started_at, run.completed_at, run.updated_at):
            assert when is None or when.utcoffset().total_seconds() == 0
        assert run.progress is None or 0 <= run.progress <= 1
        assert run.duration_s is None or (math.isfinite(run.duration_s) and run.duration_s >= 0)


def test_eight_threads_read_the_same(make_source):
    source = make_source()

    def read(_: int) -> tuple[str, pd.DataFrame]:
        page = source.list_runs(EVERYTHING)
        return repr(page), points(source, [run.run_id for run in page.runs])

    with ThreadPoolExecutor(8) as pool:
        (page, frame), *others = pool.map(read, range(8))
    for other_page, other_frame in others:
        assert other_page == page
        pd.testing.assert_frame_equal(other_frame, frame)


def test_hostile_folder_names_survive_as_text(tmp_path):
    source = make_folder(tmp_path)
    listed = source.list_runs(EVERYTHING).runs
    assert {run.name for run in listed} == {*HOSTILE_NAMES, "empty"}
    metrics = set(points(source, [run.run_id for run in listed])["metric"])
    assert {f"eval_f1/{name}" for name in HOSTILE_NAMES[1::2]} <= metrics
