"""What is remembered: read once, one version of each run, apart for each reader, and out of every browser's reach."""

from __future__ import annotations

import gc

import pytest
import streamlit as st

from lib.charts.drawn import Curve
from lib.core.curves.metric_curves import MetricCurve
from lib.core.facts.query import RunQuery
from lib.core.facts.runs import RunStatus
from lib.data.settings import Settings
from lib.gate.visitors import VISITORS
from lib.ui.session import current_curves, reads
from lib.ui.session.current_curves import CurvesMemory
from lib.ui.session.run_data import RunData, data_of
from tests.app.growing import METRICS, GrowingSource
from tests.app.harness import App

# --- values by key -----------------------------------------------------------------------------------


# --- versions of runs --------------------------------------------------------------------------------


def newest(memory: CurvesMemory, source: GrowingSource, buckets: int | None = None) -> RunData:
    return memory.newest(source, source.run, buckets, None)


def kept(memory: CurvesMemory) -> list[RunData | None]:
    return [current.data for current in memory._kept.values()]


@pytest.fixture
def source() -> GrowingSource:
    return GrowingSource(100)


def completed(source: GrowingSource) -> GrowingSource:
    source.status = RunStatus.COMPLETED
    return source


def test_a_version_is_read_once_and_another_one_takes_its_place(source):
    memory = CurvesMemory()
    completed(source)
    first = newest(memory, source)
    assert newest(memory, source) is first
    assert source.reads == ["curves"]
    source.revision += 1
    second = newest(memory, source)
    assert second.version == source.run.version != first.version
    assert kept(memory) == [second]
    assert source.reads == ["curves"] * 2


def test_a_newer_version_drops_the_older_one_however_finely_that_was_read(source):
    memory = CurvesMemory()
    completed(source)
    coarse, fine = newest(memory, source, 10), newest(memory, source)
    assert kept(memory) == [coarse, fine]
    source.revision += 1
    assert kept(memory) == [coarse, fine]
    fine = newest(memory, source)
    assert kept(memory) == [fine]


def test_what_was_worked_out_of_a_comparison_goes_with_the_version_of_any_of_its_runs(source):
    memory = CurvesMemory()
    completed(source)
    other = completed(GrowingSource(10, "ann"))
    data = newest(memory, source)
    results = memory.computed_values("a comparison", [data.number])
    assert memory.computed_values("a comparison", [data.number]) is results
    assert memory.computed_values("another", [data.number]) is not results
    other.revision = 7
    newest(memory, other)
    assert memory.computed_values("a comparison", [data.number]) is not results
    assert not memory._comparisons, "no version that is remembered has such results"


def test_readers_share_nothing(source):
    memory = CurvesMemory()
    theirs = GrowingSource(50, "bob")
    mine, other = newest(memory, source), newest(memory, theirs)
    assert (mine.curves.points, other.curves.points) == (100 * len(METRICS), 50 * len(METRICS))
    theirs.revision += 1
    newest(memory, theirs)
    assert newest(memory, source).number == mine.number


def test_a_running_run_is_read_as_a_whole_once_and_then_what_is_new(source, monkeypatch):
    monkeypatch.setattr(current_curves, "ASK_SHARE", 0.0)
    memory = CurvesMemory()
    before = newest(memory, source)
    same = newest(memory, source)
    assert same is before
    source.rows += 5
    after = newest(memory, source)
    assert source.reads == ["curves", "new", "new"]
    assert (before.curves.points, after.curves.points) == (100 * len(METRICS), 105 * len(METRICS))
    assert kept(memory) == [after]
    source.status = RunStatus.COMPLETED
    newest(memory, source)
    assert source.reads[3:] == ["curves"], "its last rows may have come in any order"


def test_another_version_of_a_running_run_with_the_same_rows_is_another_thing_to_remember(source):
    memory = CurvesMemory()
    before = newest(memory, source)
    source.revision += 1
    after = newest(memory, source)
    assert source.reads == ["curves"]
    assert after.curves.get("train_loss") is before.curves.get("train_loss")
    assert (after.version, after.computed_values is before.computed_values) == (source.run.version, False)


def test_rows_that_come_without_another_version_are_found_after_a_time(source, monkeypatch):
    memory = CurvesMemory()
    completed(source)
    before = newest(memory, source)
    monkeypatch.setattr(current_curves, "LOOK_AGAIN_S", -1.0)
    assert newest(memory, source) is before, "what was worked out of the same rows stays"
    # As many values as before: a count would not tell.
    source.raised = 1.0
    after = newest(memory, source)
    assert after.number != before.number
    assert after.version == before.version
    assert after.curves.get("train_loss").value[0] == before.curves.get("train_loss").value[0] + 1.0


def sources(count: int) -> list[GrowingSource]:
    return [completed(GrowingSource(100, f"reader {number}")) for number in range(count)]


def test_the_remembered_curves_take_so_many_bytes_at_most_and_the_last_ones_stay():
    size = newest(CurvesMemory(), completed(GrowingSource(100))).nbytes
    memory = CurvesMemory(most_bytes=3 * size)
    read = [newest(memory, each) for each in sources(5)]
    assert kept(memory) == read[2:]
    # One that is larger than all of it is remembered alone.
    memory = CurvesMemory(most_bytes=size // 2)
    read = [newest(memory, each) for each in sources(2)]
    assert kept(memory) == read[1:]


def test_of_many_short_runs_the_last_ones_stay():
    memory = CurvesMemory(most_runs=3)
    few = sources(4)
    read = [newest(memory, each) for each in few[:3]]
    assert newest(memory, few[0]) is read[0]
    read.append(newest(memory, few[3]))
    assert kept(memory) == [read[2], read[0], read[3]]


def test_arrays_that_curves_share_count_once(source):
    data = newest(CurvesMemory(), source)
    apart = sum(curve.step.nbytes * 4 for curve in data.curves.curves.values())
    assert data.nbytes == apart
    curve = data.curves.get("train_loss")
    shared = MetricCurve(curve.step, curve.value + 1, curve.epoch, curve.elapsed_s, curve.logged, 0)
    both = type(data.curves)(source.run.run_id, {"train_loss": curve, "other": shared})
    assert data_of(both, source.run).nbytes == 5 * curve.step.nbytes


# --- the app -----------------------------------------------------------------------------------------


def in_memory(rows: int) -> int:
    """Bytes of all arrays as long as a curve that anything still holds."""
    gc.collect()
    arrays = {}
    for each in gc.get_objects():
        if isinstance(each, MetricCurve):
            columns = (each.step, each.value, each.epoch, each.elapsed_s)
        elif isinstance(each, Curve):
            columns = (each.x, each.y)
        else:
            continue
        arrays.update({id(column): column.nbytes for column in columns if len(column) >= rows})
    return sum(arrays.values())


def test_forty_polls_of_a_running_run_hold_two_versions_of_it_at_most(monkeypatch):
    monkeypatch.setattr(current_curves, "ASK_SHARE", 0.0)
    source = GrowingSource(3000)
    monkeypatch.setattr(reads, "open_source", lambda settings: source)
    # What is frozen is freed as all else, but not listed.
    reads.settle()
    gc.unfreeze()
    before = in_memory(3000)
    app = App.open(run="growing")
    assert not app.at.exception
    one = in_memory(3000) - before
    assert one > 7 * 3000 * 8
    for poll in range(1, 41):
        source.rows += 1
        reads.forget_runs(source, ("growing",), RunQuery())
        app.rerun()
        if poll % 10 == 0:
            assert in_memory(3000) - before <= 2 * one * source.rows / 3000
    assert int(app.charts["Loss"].data["lines"]["x"].max()) == source.rows
    assert source.reads.count("curves") == 1


def test_no_browser_can_make_the_app_forget(opened, demo):
    app = opened(run=demo.alike[:2])
    source, page = reads.source(Settings()), reads.list_runs(reads.source(Settings()), RunQuery())
    VISITORS.put("ticket", "somebody", 100.0)
    # What Streamlit does when any visitor's browser sends "clear_cache".
    st.cache_data.clear()
    st.cache_resource.clear()
    app.rerun().assert_sound()
    assert reads.source(Settings()) is source
    assert reads.list_runs(source, RunQuery()) is page
    assert VISITORS.get("ticket") == "somebody"
    VISITORS.drop("ticket")


def test_refreshing_reads_anew_and_signs_nobody_out(opened, demo):
    app = opened(run=demo.alike[:2])
    source = reads.source(Settings())
    page = reads.list_runs(source, RunQuery())
    VISITORS.put("ticket", "somebody", 100.0)
    app.ask(refresh=True).assert_sound()
    assert reads.source(Settings()) is source
    assert reads.list_runs(source, RunQuery()) is not page
    assert VISITORS.get("ticket") == "somebody"
    VISITORS.drop("ticket")


def test_news_of_a_run_is_news_for_every_page_of_the_same_reader(source):
    theirs = GrowingSource(100, "bob")
    for reader in (source, theirs):
        reads.load_runs(reader, ("growing",))
        reads.load_runs(reader, ("growing", "another"))
    reads.load_runs(source, ("another",))
    reads.forget_runs(source, ("growing",), RunQuery())
    source.reads.clear(), theirs.reads.clear()
    for reader in (source, theirs):
        reads.load_runs(reader, ("growing",))
        reads.load_runs(reader, ("growing", "another"))
    reads.load_runs(source, ("another",))
    assert (source.reads, theirs.reads) == (["runs", "runs"], [])
