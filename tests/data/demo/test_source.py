"""The embedded source reads its files as database rows are read."""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from lib.core.facts.errors import SourceUnavailable
from lib.core.facts.liveness import is_stalled
from lib.core.facts.query import RunQuery, RunSort
from lib.core.facts.runs import RunStatus
from lib.data.demo import source as embedded
from lib.data.demo.source import EmbeddedSource
from tests.curves import checked
from tests.data.demo.rows import with_metrics
from tests.demo import generate
from tests.demo.curves import DECIMALS

MEGABYTE = 1_000_000
SOURCE = EmbeddedSource()


def test_the_files_are_small():
    assert embedded.JOBS_FILE.stat().st_size + embedded.METRICS_FILE.stat().st_size < MEGABYTE


def test_the_committed_files_are_what_the_program_makes():
    jobs, metrics = generate.make_tables()
    stored_jobs, stored_metrics = pq.read_table(embedded.JOBS_FILE), pq.read_table(embedded.METRICS_FILE)
    assert stored_jobs.schema.equals(jobs.schema)
    assert stored_metrics.schema.equals(metrics.schema)
    for made, stored in ((jobs, stored_jobs), (metrics, stored_metrics)):
        for name in made.column_names:
            one, other = made[name], stored[name]
            assert one.is_valid().equals(other.is_valid()), name
            if pd.api.types.is_float_dtype(one.type.to_pandas_dtype()):
                # The mathematics library may differ in a last digit, and rounding may make a unit of that.
                unit = 1.01 * 10.0 ** -DECIMALS.get(name, 4) if name != "learning_rate" else 0.0
                np.testing.assert_allclose(one.to_numpy(), other.to_numpy(), rtol=2e-4, atol=unit, err_msg=name)
            elif str(one.type).startswith("timestamp"):
                apart = one.to_pandas() - other.to_pandas()
                assert apart.dropna().abs().max() <= pd.Timedelta(milliseconds=2), name
            else:
                assert one.equals(other), name


def test_the_program_makes_the_same_twice():
    first, second = generate.make_tables(), generate.make_tables()
    assert first[0].to_pylist().__repr__() == second[0].to_pylist().__repr__()
    pd.testing.assert_frame_equal(first[1].to_pandas(), second[1].to_pandas())


def test_the_files_have_the_columns_of_the_database_tables_and_no_credential():
    jobs, metrics = pq.read_schema(embedded.JOBS_FILE).names, pq.read_schema(embedded.METRICS_FILE).names
    assert {"id", "status", "model_name", "config", "resumed_from_job_id", "completed_at"} <= set(jobs)
    assert "job_token" not in jobs
    assert {"id", "job_id", "step", "epoch", "train_loss", "eval_loss", "timestamp"} <= set(metrics)


def fresh_module():
    """A second copy of the module, as a new process would import it."""
    spec = importlib.util.spec_from_file_location("embedded_copy", embedded.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_importing_reads_nothing_and_of_the_curves_only_those_asked_for_are_read(monkeypatch, frame):
    tables: list[str] = []
    rows: list[int] = []
    read_table, read_row_groups = pq.read_table, pq.ParquetFile.read_row_groups

    def recording_table(path: Path, *args, **kwargs):
        tables.append(Path(path).name)
        return read_table(path, *args, **kwargs)

    def recording_groups(file: pq.ParquetFile, *args, **kwargs):
        found = read_row_groups(file, *args, **kwargs)
        rows.append(found.num_rows)
        return found

    monkeypatch.setattr(pq, "read_table", recording_table)
    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", recording_groups)
    source = fresh_module().EmbeddedSource()
    assert (tables, rows) == ([], [])
    threads = [threading.Thread(target=source.list_runs, args=(RunQuery(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    runs = source.list_runs(RunQuery()).runs
    source.load_runs([runs[0].run_id])
    assert (tables, rows) == ([embedded.JOBS_FILE.name], []), "the file of the runs is read once, the other not yet"
    run_id = with_metrics(frame, runs)[0].run_id
    received = source.load_curves([run_id])[run_id].rows.received
    assert rows == [received], "only the rows of the run"
    assert tables == [embedded.JOBS_FILE.name]


@pytest.mark.parametrize("damage", ["missing", "not Parquet"])
@pytest.mark.parametrize("which", ["demo_jobs.parquet", "demo_metrics.parquet"])
def test_a_damaged_file_makes_the_source_unavailable_and_names_the_file(tmp_path, damage, which):
    path = tmp_path / which
    if damage == "not Parquet":
        path.write_bytes(b"no parquet here")
    source = EmbeddedSource(**{"jobs_file" if "jobs" in which else "metrics_file": path})
    with pytest.raises(SourceUnavailable, match=which.replace(".", r"\.")) as caught:
        source.load_curves(["any"]) if "metrics" in which else source.list_runs(RunQuery())
    assert caught.value.hint


def test_every_run_is_read_without_a_note(runs):
    assert [run.notes for run in runs] == [()] * len(runs)


def test_pages_and_lookups_agree(runs):
    page = SOURCE.list_runs(RunQuery(limit=3, sort=RunSort.OLDEST))
    assert (len(page.runs), page.total, page.source_total) == (3, len(runs), len(runs))
    ids = [runs[4].run_id, "unknown", runs[1].run_id]
    assert SOURCE.load_runs(ids) == (runs[4], runs[1])


def test_what_a_caller_does_to_an_answer_reaches_no_other_caller(runs, frame):
    run_id = with_metrics(frame, runs)[0].run_id
    run = SOURCE.load_runs([run_id])[0]
    run.config.clear()
    curves = SOURCE.load_curves([run_id])[run_id]
    for curve in curves.curves.values():
        with pytest.raises(ValueError, match="read-only"):
            curve.value[:] = 0.0
    assert SOURCE.load_runs([run_id])[0].config
    assert (checked(SOURCE.load_curves([run_id]))["value"] != 0.0).any()


def test_filters_only_leave_out(runs, frame):
    run = with_metrics(frame, runs)[0]
    part = checked(SOURCE.load_curves([run.run_id, "unknown"], ["eval_loss", "unknown"], (200, 400)))
    whole = frame[(frame["run_id"] == run.run_id) & (frame["metric"] == "eval_loss") & frame["step"].between(200, 400)]
    pd.testing.assert_frame_equal(part, whole.reset_index(drop=True))
    assert set(part["step"]) >= {200, 400}
    assert SOURCE.load_curves([]) == {}
    assert checked(SOURCE.load_curves([run.run_id], [])).empty


def test_its_clock_stands_where_the_last_run_reported(runs):
    running = next(run for run in runs if run.status is RunStatus.RUNNING)
    assert SOURCE.now() == running.updated_at == max(run.updated_at for run in runs)
    assert not is_stalled(running, SOURCE.now())
