"""The curves of some runs: all metrics of all of them at once, a few requests at a time, and what was read kept."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.errors import AppError, RunSourceError
from lib.core.facts.runs import RunStatus
from lib.data.formats.assembly import Form
from lib.data.formats.stores.mlflow import status_of
from lib.data.formats.stores.points import dropped_steps, usable
from lib.data.mlflow_server.client import Server
from lib.data.mlflow_server.histories import GROWING_PAGE, PAGE, History, grown_history, read_history
from lib.data.mlflow_server.listing import Listing
from lib.data.mlflow_server.runs import Found, whole_form
from lib.data.source import Progress

AT_ONCE = 4
"""Metrics of one question that are read at a time."""
MOST_KEPT = 6_000_000
"""Values of runs that are kept, some 40 bytes each."""
MOST_VALUES = 10_000_000
"""Values of one run that are read; that alone takes a server minutes."""
KEPT_S = 60.0
"""Another part of the curves of a run that goes on, asked for within so many seconds, is of the same reading."""
SETTLED_S = 540.0
"""The same for a run that is over: every latest value is still the one that it was."""


class Told:
    """How far a read is, and what of it failed. Threads may share it.

    Attributes:
        values: How many values came.
        errors: By run and metric, why it is not there.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        self.values = 0
        self.errors: dict[tuple[str, str], AppError] = {}
        self._of: dict[str, int] = {}
        self._progress = progress
        self._lock = threading.Lock()

    def count(self, run_id: str, values: int) -> None:
        """Values of a run came.

        Raises:
            RunSourceError: If they are more than are read.
        """
        with self._lock:
            self.values += values
            self._of[run_id] = self._of.get(run_id, 0) + values
            total, of_run = self.values, self._of[run_id]
        if self._progress is not None:
            self._progress(total, None)
        if of_run > MOST_VALUES:
            raise RunSourceError(
                f"Expected at most {MOST_VALUES:,} values of a run, found more.",
                hint="The database file of the server, or its mlruns folder, can be read as a folder of runs.",
            )


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """What was read of a run.

    Attributes:
        found: The run when it was read.
        histories: By metric.
        form: All of that, as the app has it.
        at: When it was last read from its beginning, on the process's clock.
    """

    found: Found
    histories: Mapping[str, History]
    form: Form
    at: float

    @property
    def values(self) -> int:
        return sum(len(each.points) for each in self.histories.values())

    def is_of(self, found: Found) -> bool:
        """Whether it is all of this version of the run."""
        return self.found.version == found.version and self.histories.keys() == found.marks.keys()


class CurveReader:
    """Reads the curves of runs. Safe to share between threads.

    Args:
        server: Where.
        listing: Finds the runs.
    """

    def __init__(self, server: Server, listing: Listing) -> None:
        self._server, self._listing = server, listing
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Read] = OrderedDict()

    def curves(self, run_ids: Sequence[str], told: Told, *, grow: bool) -> dict[str, RunCurves]:
        """All curves of some runs; unknown ones are absent.

        Args:
            run_ids: Which.
            told: Is told how far it is, and which metrics could not be read.
            grow: Put what was read before to use however old it is, and read on from there.

        Raises:
            AppError: If the runs themselves cannot be asked for.
        """
        wanted = list(dict.fromkeys(filter(None, run_ids)))
        now = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = [each for each in pool.map(self._listing.found, wanted) if each is not None]
            held = {each.run_id: self._held(each, now, grow=grow) for each in found}
            tasks = {}
            for run in found:
                old = held[run.run_id]
                known = old.histories if old is not None else {}
                for metric, mark in run.marks.items():
                    if metric not in known or known[metric].mark != mark:
                        task = pool.submit(self._history, run, metric, known.get(metric), told)
                        tasks[run.run_id, metric] = task
            done = {place: task.result() for place, task in tasks.items()}
        return {run.run_id: self._taken(run, held[run.run_id], done, now) for run in found}

    def _held(self, run: Found, now: float, *, grow: bool) -> _Read | None:
        with self._lock:
            read = self._kept.get(run.run_id)
        limit = KEPT_S if _goes_on(run) else SETTLED_S
        return read if read is not None and (grow or now - read.at <= limit) else None

    def _history(self, run: Found, metric: str, known: History | None, told: Told) -> History | None:
        """The history of a metric; ``None`` where it could not be read, which is told."""

        def count(values: int) -> None:
            told.count(run.run_id, values)

        try:
            if known is not None:
                return grown_history(self._server, run.run_id, metric, known, run.marks[metric], count)
            size = GROWING_PAGE if _goes_on(run) else PAGE
            return read_history(self._server, run.run_id, metric, run.marks[metric], size, count)
        except AppError as error:
            told.errors[run.run_id, metric] = error
            return None

    def _taken(
        self, run: Found, held: _Read | None, done: Mapping[tuple[str, str], History | None], now: float
    ) -> RunCurves:
        if held is not None and held.is_of(run):
            return held.form.curves
        histories = {}
        for metric in run.marks:
            history = done.get((run.run_id, metric)) or (held.histories.get(metric) if held is not None else None)
            if history is not None:
                histories[metric] = history
        points, impossible = {}, 0
        for metric, history in histories.items():
            points[metric], bad = usable(history.points)
            impossible += bad
        notes = dropped_steps(impossible)
        if left_out := sum(each.left_out for each in histories.values()):
            notes.append(f"Entries of the server that are no values, left out: {left_out:,}.")
        form = whole_form(run, points, tuple(notes))
        self._keep(_Read(run, histories, form, now if held is None else held.at))
        return form.curves

    def _keep(self, read: _Read) -> None:
        """Keep what was read, and drop what was not asked for for the longest."""
        with self._lock:
            self._kept.pop(read.found.run_id, None)
            self._kept[read.found.run_id] = read
            total = sum(each.values for each in self._kept.values())
            while total > MOST_KEPT and len(self._kept) > 1:
                total -= self._kept.popitem(last=False)[1].values


def _goes_on(run: Found) -> bool:
    return status_of(run.stated.status)[0] is RunStatus.RUNNING
