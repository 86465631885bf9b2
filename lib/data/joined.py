"""The runs of a source and those that a session uploaded, as one source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from lib.core.curves.metric_curves import RunCurves, cut
from lib.core.facts.query import RunPage, RunQuery, joined
from lib.core.facts.runs import RunSummary
from lib.core.facts.selection import is_uploaded
from lib.data.source import FollowedSource, IncompleteRead, LiveSource, Progress, RunSource, Wanted
from lib.data.upload.source import UploadSource

LAST_STEP = 2**62
"""Beyond any step."""


class JoinedSource:
    """A ``RunSource`` of two: each run is read where it is, so that what is remembered of it is remembered there.

    Args:
        base: The source of the deployment.
        upload: What this session uploaded.
    """

    def __init__(self, base: RunSource, upload: UploadSource) -> None:
        self.base, self.upload = base, upload
        self.cache_key = f"{base.cache_key}|{upload.cache_key}:{upload.turn}"
        self.title = base.title
        self.synthetic = base.synthetic

    def part(self, run_id: str) -> RunSource:
        """Where a run is."""
        return self.upload if is_uploaded(run_id) else self.base

    def now(self) -> datetime:
        """As the base's; that of an uploaded run is that of its ``part``."""
        return self.base.now()

    def list_runs(self, query: RunQuery) -> RunPage:
        """As ``RunSource.list_runs``."""
        return self.listed(query, lambda part, asked: part.list_runs(asked))

    def listed(self, query: RunQuery, read: Callable[[RunSource, RunQuery], RunPage]) -> RunPage:
        """As ``list_runs``; ``read`` lists the runs of a part, which may remember them."""
        parts = (self.base, self.upload)
        asked = query
        if query.limit < 0:
            # How many are left off the end depends on how many there are in all.
            total = sum(read(part, replace(query, limit=0)).total for part in parts)
            asked = replace(query, limit=max(total + query.limit, 0))
        return joined([read(part, asked) for part in parts], query)

    def load_runs(self, run_ids: Sequence[str]) -> tuple[RunSummary, ...]:
        """As ``RunSource.load_runs``."""
        return self.loaded(run_ids, lambda part, ids: part.load_runs(ids))

    def loaded(
        self, run_ids: Sequence[str], read: Callable[[RunSource, tuple[str, ...]], Sequence[RunSummary]]
    ) -> tuple[RunSummary, ...]:
        """As ``load_runs``; ``read`` loads runs of a part, which may remember them."""
        found = {run.run_id: run for part, ids in self._apart(run_ids) for run in read(part, ids)}
        return tuple(found[run_id] for run_id in run_ids if run_id in found)

    def load_curves(
        self,
        run_ids: Sequence[str],
        metrics: Sequence[str] | None = None,
        steps: tuple[int, int] | None = None,
        buckets: int | None = None,
    ) -> dict[str, RunCurves]:
        """As ``RunSource.load_curves``."""
        return self._curves(run_ids, lambda part, ids: part.load_curves(ids, metrics, steps, buckets))

    def _apart(self, run_ids: Sequence[str]) -> list[tuple[RunSource, tuple[str, ...]]]:
        """The ids of each part; a part that nobody asks for is not asked."""
        uploaded = tuple(run_id for run_id in run_ids if is_uploaded(run_id))
        others = tuple(run_id for run_id in run_ids if not is_uploaded(run_id))
        parts: tuple[tuple[RunSource, tuple[str, ...]], ...] = ((self.base, others), (self.upload, uploaded))
        return [(part, ids) for part, ids in parts if ids]

    def _curves(
        self, run_ids: Sequence[str], read: Callable[[RunSource, tuple[str, ...]], Mapping[str, RunCurves]]
    ) -> dict[str, RunCurves]:
        found: dict[str, RunCurves] = {}
        lost: list[IncompleteRead] = []
        for part, ids in self._apart(run_ids):
            try:
                found |= read(part, ids)
            except IncompleteRead as error:
                found |= error.curves
                lost.append(error)
        if lost:
            expected = [error.rows_expected for error in lost]
            raise IncompleteRead(
                " ".join(map(str, lost)),
                curves=found,
                run_ids=[run_id for error in lost for run_id in error.run_ids],
                rows_read=sum(error.rows_read for error in lost),
                rows_expected=None if None in expected else sum(rows or 0 for rows in expected),
                hint=lost[0].hint,
                besides=lost[0].besides,
            )
        return found


class FollowedJoinedSource(JoinedSource):
    """The same over a source that looks for runs in the background: a ``FollowedSource``."""

    def __init__(self, base: FollowedSource, upload: UploadSource) -> None:
        super().__init__(base, upload)
        self._followed = base
        self.refresh_s = base.refresh_s

    def settle(self) -> None:
        """As ``FollowedSource.settle``."""
        self._followed.settle()


class LiveJoinedSource(JoinedSource):
    """The same over a source far away, whose running runs grow: a ``LiveSource``. Uploaded runs do not grow."""

    def __init__(self, base: LiveSource, upload: UploadSource) -> None:
        super().__init__(base, upload)
        self._live = base
        self.kind = base.kind
        self.refresh_s = base.refresh_s

    def load_curves(
        self,
        run_ids: Sequence[str],
        metrics: Sequence[str] | None = None,
        steps: tuple[int, int] | None = None,
        buckets: int | None = None,
        progress: Progress | None = None,
        also: Wanted | None = None,
    ) -> dict[str, RunCurves]:
        """As ``LiveSource.load_curves``; of uploaded runs, whatever ``also`` names is there."""

        def read(part: RunSource, ids: tuple[str, ...]) -> Mapping[str, RunCurves]:
            if part is self.upload:
                found = part.load_curves(ids, None if also is not None else metrics, steps, buckets)
                return found if also is None or metrics is None else _wanted(found, metrics, also)
            return self._live.load_curves(ids, metrics, steps, buckets, progress, also)

        return self._curves(run_ids, read)

    def load_new_curves(self, run_ids: Sequence[str], after: Mapping[str, int]) -> dict[str, RunCurves]:
        """As ``LiveSource.load_new_curves``."""

        def read(part: RunSource, ids: tuple[str, ...]) -> Mapping[str, RunCurves]:
            if part is self.upload:
                found = part.load_curves(ids)
                return {
                    run_id: cut(curves, after[run_id], LAST_STEP) if run_id in after else curves
                    for run_id, curves in found.items()
                }
            return self._live.load_new_curves(ids, after)

        return self._curves(run_ids, read)

    def way(self) -> str:
        """As ``LiveSource.way``."""
        return self._live.way()


def joined_with(base: RunSource, upload: UploadSource) -> JoinedSource:
    """The runs of both, in a source that can what the base can."""
    if isinstance(base, LiveSource):
        return LiveJoinedSource(base, upload)
    if isinstance(base, FollowedSource):
        return FollowedJoinedSource(base, upload)
    return JoinedSource(base, upload)


def part_of(source: RunSource, run_id: str) -> RunSource:
    """Where a run of a source really is: who reads it there shares what is remembered of it."""
    return source.part(run_id) if isinstance(source, JoinedSource) else source


def _wanted(found: Mapping[str, RunCurves], metrics: Sequence[str], also: Wanted) -> dict[str, RunCurves]:
    kept = {}
    for run_id, curves in found.items():
        chosen = {metric: curve for metric, curve in curves.curves.items() if metric in metrics or also(metric)}
        if chosen:
            kept[run_id] = replace(curves, curves=chosen)
    return kept
