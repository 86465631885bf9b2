"""What a source and an upload are together, beyond what holds for every source."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.errors import SourceUnavailable
from lib.core.facts.query import RunIndex, RunPage, RunQuery, RunSort, joined
from lib.core.facts.runs import RunStatus, RunSummary
from lib.data.demo.source import EmbeddedSource
from lib.data.folder.source import FolderSource
from lib.data.joined import JoinedSource, joined_with, part_of
from lib.data.source import FollowedSource, IncompleteRead, LiveSource
from lib.data.upload.upload import Dropped, Upload
from tests.data.upload.archives import state, table

EVERYTHING = RunQuery(limit=10**9)


class FarAway(EmbeddedSource):
    """The demo's runs as if they were far away and grew: it notes what it is asked."""

    kind = "Far place"
    refresh_s = 7.0

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, ...]] = []

    def load_curves(self, run_ids, metrics=None, steps=None, buckets=None, progress=None, also=None):
        self.asked.append(tuple(run_ids))
        return super().load_curves(run_ids, metrics, steps, buckets)

    def load_new_curves(self, run_ids: Sequence[str], after: Mapping[str, int]) -> dict[str, RunCurves]:
        self.asked.append(tuple(run_ids))
        return super().load_curves(run_ids, None, (min(after.values(), default=0), 10**9))

    def way(self) -> str:
        return "By asking."


@pytest.fixture
def upload(tmp_path, monkeypatch) -> Upload:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = Upload()
    made.take(
        [Dropped(f"{name}.csv", io.BytesIO(table(level)), len(table(level))) for level, name in enumerate("ab", 1)]
    )
    return made


@pytest.fixture
def uploaded(upload) -> list[str]:
    return [run.run_id for run in upload.source.list_runs(EVERYTHING).runs]


def test_it_can_what_the_base_can(upload, tmp_path):
    plain, folder, far = (
        joined_with(base, upload.source) for base in (EmbeddedSource(), FolderSource(tmp_path), FarAway())
    )
    assert [isinstance(each, LiveSource) for each in (plain, folder, far)] == [False, False, True]
    assert [isinstance(each, FollowedSource) for each in (plain, folder, far)] == [False, True, False]
    assert (far.kind, far.refresh_s, far.way(), far.title) == ("Far place", 7.0, "By asking.", "Demo runs")
    assert far.synthetic


def test_each_run_is_read_where_it_is(upload, uploaded):
    base = FarAway()
    source = joined_with(base, upload.source)
    own = base.list_runs(RunQuery(limit=2)).runs[1].run_id
    assert part_of(source, own) is base
    assert part_of(source, uploaded[0]) is upload.source
    assert part_of(base, uploaded[0]) is base
    found = source.load_curves([own, *uploaded])
    assert base.asked == [(own,)]
    assert set(found) == {own, *uploaded}
    source.load_curves(uploaded)
    assert base.asked == [(own,)], "a source far away is not asked for what it does not have"


def test_what_an_upload_has_is_there_whatever_is_asked_besides(upload, uploaded):
    source = joined_with(FarAway(), upload.source)
    (curves,) = source.load_curves(uploaded[:1], ["train_loss"], also=lambda name: name.startswith("eval_")).values()
    assert set(curves.curves) == {"train_loss", "eval_loss"}
    new = source.load_new_curves(uploaded[:1], {uploaded[0]: 15})[uploaded[0]]
    assert new.curves["train_loss"].step.min() == 15


def test_the_key_is_another_one_for_every_session_and_every_change(upload):
    keys = {
        joined_with(EmbeddedSource(), upload.source).cache_key,
        joined_with(EmbeddedSource(), Upload().source).cache_key,
    }
    upload.take([Dropped("trainer_state.json", io.BytesIO(state()), len(state()))])
    keys.add(joined_with(EmbeddedSource(), upload.source).cache_key)
    assert len(keys) == 3
    assert not any(run.run_id in key for key in keys for run in upload.source.list_runs(EVERYTHING).runs)


def test_lost_curves_of_one_part_do_not_lose_those_of_the_other(upload, uploaded, monkeypatch):
    base = FarAway()
    source = joined_with(base, upload.source)
    own = base.list_runs(RunQuery(limit=2)).runs[1].run_id

    def lost(*_: object, **__: object) -> dict[str, RunCurves]:
        raise IncompleteRead("Lost.", curves={}, run_ids=[own], rows_read=3, rows_expected=None, hint="Again.")

    monkeypatch.setattr(base, "load_curves", lost)
    with pytest.raises(IncompleteRead) as raised:
        source.load_curves([own, *uploaded])
    assert set(raised.value.curves) == set(uploaded)
    assert (raised.value.run_ids, raised.value.rows_read, raised.value.rows_expected) == ((own,), 3, None)
    monkeypatch.setattr(base, "load_curves", lambda *_, **__: (_ for _ in ()).throw(SourceUnavailable("Gone.")))
    with pytest.raises(SourceUnavailable, match=r"^Gone\.$"):
        source.load_curves([own, *uploaded])


def test_uploaded_runs_have_the_clock_of_the_machine(upload, uploaded):
    source = joined_with(EmbeddedSource(), upload.source)
    assert isinstance(source, JoinedSource)
    assert source.part(uploaded[0]).now() > source.now()


RUNS = [
    RunSummary(
        run_id=f"{number:02d}",
        name=f"run {number % 5}",
        status=list(RunStatus)[number % 3],
        created_at=datetime(2024, 1, 1 + number % 7, tzinfo=UTC) if number % 4 else None,
        eval_loss=number % 6 / 10 if number % 5 else None,
    )
    for number in range(24)
]


@pytest.mark.parametrize("sort", RunSort)
@pytest.mark.parametrize("limit", [0, 1, 7, 100, -1, -20, -100])
@pytest.mark.parametrize(
    ("search", "status"), [("", None), ("2", None), ("run", RunStatus.RUNNING), ("none such", None)]
)
def test_two_lists_are_the_list_of_all(sort, limit, search, status):
    query = RunQuery(search, status, sort, limit)

    def page(runs: Sequence[RunSummary], asked: RunQuery) -> RunPage:
        return RunIndex(runs).page(asked, lambda places: [runs[place] for place in places])

    parts = [RUNS[::3], [run for at, run in enumerate(RUNS) if at % 3]]
    whole = page(RUNS, query)
    enough = replace(query, limit=10**9 if limit < 0 else limit)
    found = joined([page(part, enough) for part in parts], query)
    assert [run.run_id for run in found.runs] == [run.run_id for run in whole.runs]
    assert (found.total, found.source_total, Counter(found.statuses)) == (
        whole.total,
        whole.source_total,
        Counter(whole.statuses),
    )


def test_where_one_has_not_counted_nobody_has():
    counted = RunPage((), 2, {RunStatus.FAILED: 2}, 2)
    uncounted = RunPage((), 90_000, {}, 90_000)
    assert joined([uncounted, counted], RunQuery()).statuses == {}
    assert joined([RunPage((), 0, {}, 0), counted], RunQuery()).statuses == {RunStatus.FAILED: 2}
    looking = replace(counted, looked_at=(1, 5))
    assert joined([looking, counted], RunQuery()).looked_at == (1, 5)
    assert joined([counted, counted], RunQuery()).looked_at is None
