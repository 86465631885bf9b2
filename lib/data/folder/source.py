"""The runs found below a folder of training outputs, whatever program wrote them.

A folder that holds the log of a ``Trainer`` is a run; its checkpoints' folders are one run together with it, unless
two trainings were written into one folder (``lib.data.folder.grouping``). What other programs logged is found by
``lib.data.formats``. Forms of one run are put together (``lib.data.folder.listing``).
"""

from __future__ import annotations

import hashlib
import math
import os
import threading
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from lib.core.curves.metric_curves import RunCurves, cut
from lib.core.facts.credentials import redact
from lib.core.facts.foreign import isolated
from lib.core.facts.query import RunIndex, RunPage, RunQuery
from lib.core.facts.runs import RunSummary
from lib.data.folder.following import Follower
from lib.data.folder.gathered import Gathered
from lib.data.folder.listing import Listed
from lib.data.folder.look import Gatherer
from lib.data.folder.memory.lists import StoredRuns
from lib.data.folder.memory.remembered import Remembered, place_from
from lib.data.folder.names import readable
from lib.data.folder.reading import TRAINER
from lib.data.formats.registry import formats
from lib.data.source import IncompleteRead, wall_clock
from lib.data.trainer.hf_log import TRAINER_STATE
from lib.data.waiting import LONGEST_S, Waiting, late_folder, late_log

SCAN_INTERVAL_S = 2.0
"""The tree is looked at again after this time at the earliest: one page asks the source several times."""

OWN_STUCK_S = 60.0
"""A file of a folder of this process's own is read for so many seconds before the others are listed without it."""

_WRITTEN = "A training may be writing it at this moment"


class _Opened(NamedTuple):
    """What looks into the folder, once it is known where that really lies."""

    gatherer: Gatherer
    follower: Follower


class FolderSource:
    """A ``RunSource`` over the files below a folder.

    Runs are called by the folder names that tell them apart, and identified by their path below the root. The folder
    is looked at in the background: whoever asks gets what was found so far. Files are read once, and again only when
    their times or their size change.

    Attributes:
        refresh_s: How often it is worth asking for news, in seconds.
    """

    synthetic = False
    refresh_s = 3.0

    def __init__(self, path: str | os.PathLike[str], *, is_own: bool = False) -> None:
        """Take the folder to look into; it is looked into on the first read.

        Args:
            path: The folder.
            is_own: It is this process's: nothing of it is remembered on the disk (``lib.data.folder.memory``), and a
                file that takes long to read is large and not out of reach, so that ``settle`` waits for it longer.
        """
        # Nothing of the disk is touched here: a server of files that hangs would keep the app from starting.
        self._path = Path(os.path.abspath(os.path.expanduser(path)))
        self.cache_key = f"folder:{hashlib.sha256(os.fsencode(self._path)).hexdigest()[:16]}"
        self.title = redact(readable(self._path.name or str(self._path)))
        self._is_own = is_own
        self._opening: Waiting[_Opened] = Waiting(late_folder)
        self._opened: _Opened | None = None
        self._waiting: Waiting[RunCurves] = Waiting()
        self._longest_s = OWN_STUCK_S if is_own else LONGEST_S
        self._lock = threading.Lock()
        self._index: tuple[Listed, RunIndex, tuple[str, ...]] | None = None

    def now(self) -> datetime:
        """The moment it is."""
        return wall_clock()

    def settle(self) -> None:
        """Wait until everything was looked at: for whoever asks once and wants to know all.

        Raises:
            As ``list_runs``.
        """
        self._longest_s = math.inf
        self._newest(math.inf)

    def list_runs(self, query: RunQuery) -> RunPage:
        """As ``RunSource.list_runs``; paths of what could not be read start below the root."""
        now = self._newest()
        index, ids = self._indexed(now.listed)
        runs = now.listed.runs
        page = index.page(query, lambda places: [runs[ids[place]] for place in places], now.unreadable)
        looked_for = (f"{TRAINER} ({TRAINER_STATE})", *(f"{each.title} ({each.reads})" for each in formats()))
        return replace(page, unused=now.unused, looked_at=now.looked_at, looked_for=looked_for)

    def load_runs(self, run_ids: Sequence[str]) -> tuple[RunSummary, ...]:
        """As ``RunSource.load_runs``."""
        runs = self._newest(wanted=run_ids).listed.runs
        return tuple(runs[run_id] for run_id in run_ids if run_id in runs)

    def load_curves(
        self,
        run_ids: Sequence[str],
        metrics: Sequence[str] | None = None,
        steps: tuple[int, int] | None = None,
        buckets: int | None = None,
    ) -> dict[str, RunCurves]:
        """As ``RunSource.load_curves``; every point is there, whatever ``buckets`` says."""
        now = self._newest(wanted=run_ids, whole=True)
        if now.is_list and (known := [run_id for run_id in run_ids if run_id in now.listed.runs]):
            raise late_log(", ".join(isolated(now.listed.runs[run_id].name) for run_id in known))
        found: dict[str, RunCurves] = {}
        lost: dict[str, int] = {}
        for run_id in dict.fromkeys(run_ids):
            if run_id not in now.listed.members:
                continue
            run = self._curves(run_id, now)
            if not run.curves and (points := points_of(run_id, now)):
                lost[run_id] = sum(points.values())
            if metrics is not None:
                kept = {metric: curve for metric, curve in run.curves.items() if metric in metrics}
                run = replace(run, curves=MappingProxyType(kept))
            run = run if steps is None else cut(run, *steps)
            if run.curves:
                found[run_id] = run
        if lost:
            names = ", ".join(isolated(now.listed.runs[run_id].name) for run_id in lost)
            raise IncompleteRead(
                f"Expected the log of {names} where it was, found none that can be read.",
                curves=found,
                run_ids=tuple(lost),
                rows_read=0,
                rows_expected=sum(lost.values()),
                hint=f"{_WRITTEN}: try again.",
                besides=f"{_WRITTEN}.",
            )
        return found

    def points(self, run_id: str) -> dict[str, int]:
        """How many points each metric of a run has; nothing is read for it."""
        return points_of(run_id, self._newest(wanted=[run_id], whole=True))

    def _open(self) -> _Opened:
        if self._opened is None:
            self._opened = self._opening.get("", self._found, isolated(readable(str(self._path))), self._longest_s)
        return self._opened

    def _found(self) -> _Opened:
        root = Path(os.path.realpath(self._path))
        with self._lock:
            if self._opened is None:
                place = None if self._is_own else place_from(os.environ)
                gatherer = Gatherer(root, root.name or str(root), formats(), Remembered(root, place))
                self._opened = _Opened(gatherer, Follower(gatherer, OWN_STUCK_S if self._is_own else None))
            return self._opened

    def _newest(
        self, patience_s: float | None = None, wanted: Collection[str] = (), *, whole: bool = False
    ) -> Gathered:
        return self._open().follower.newest(SCAN_INTERVAL_S, patience_s, wanted, whole=whole)

    def _curves(self, run_id: str, now: Gathered) -> RunCurves:
        seen = tuple(form.seen for _, form in now.listed.members[run_id])
        name = isolated(now.listed.runs[run_id].name)
        return self._waiting.get(
            (run_id, seen), lambda: self._open().gatherer.curves(run_id, now), name, self._longest_s
        )

    def _indexed(self, listed: Listed) -> tuple[RunIndex, tuple[str, ...]]:
        with self._lock:
            if self._index is None or self._index[0] is not listed:
                runs = listed.runs
                facts = runs.facts if isinstance(runs, StoredRuns) else runs.values()
                self._index = listed, RunIndex(facts), tuple(runs)
            return self._index[1:]


def points_of(run_id: str, now: Gathered) -> dict[str, int]:
    """How many points each metric of a run has, in the form that has most of it."""
    points: dict[str, int] = {}
    for _, form in now.listed.members.get(run_id, ()):
        for metric, count in form.metrics.items():
            points[metric] = max(points.get(metric, 0), count)
    return points
