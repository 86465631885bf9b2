"""A Trackio project while it is read, from whichever form it is kept in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lib.core.facts.values import moment
from lib.data.formats.logged import FilePath, LoggedRun, Reading, Series, Told
from lib.data.formats.stores.points import Gathering, Points, dropped_steps, steps_by_time, usable

MOST_RUNS = 100_000
"""Runs of one project."""

OLD_ID = "run_name"
"""Projects of older versions know their runs by name alone."""


@dataclass(slots=True)
class Project:
    """A project while it is read; everything of a run is kept by the run's id.

    Attributes:
        files: The one with the metrics first.
        names: What the runs are called.
        configs: Their configuration.
        created: When they say that they began, in Unix seconds.
        metrics, system: What was logged with steps, and by the clock alone.
        bad: Rows that are no JSON object.
        unreadable: Files that could not be read, or not to their end.
    """

    files: Sequence[FilePath]
    names: dict[str, str] = field(default_factory=dict)
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    created: dict[str, float] = field(default_factory=dict)
    metrics: Gathering = field(default_factory=Gathering)
    system: Gathering = field(default_factory=Gathering)
    bad: int = 0
    unreadable: list[Told] = field(default_factory=list)

    @property
    def path(self) -> FilePath:
        return self.files[0]

    def configure(self, run: str, name: str, config: dict[str, Any], created_at: Any) -> None:
        """Keep what a run states of itself."""
        self.names.setdefault(run, name)
        self.configs[run] = config
        if (created := moment(created_at) or moment(config.get("_Created"))) is not None:
            self.created[run] = created.timestamp()

    def reading(self) -> Reading:
        """What all that comes to."""
        metrics, system = _by_run(self.metrics), _by_run(self.system)
        runs = [self._run(run, metrics.get(run, {}), system.get(run, {})) for run in self.names]
        if self.metrics.too_many:
            self.unreadable.append(Told(self.path, "The project has metrics of too many names; not all were read."))
        if self.bad:
            self.unreadable.append(Told(self.path, f"Rows that are no JSON objects, left out: {self.bad:,}."))
        unused = () if runs else (Told(self.path, "A project of Trackio without runs."),)
        return Reading(tuple(runs), tuple(self.unreadable), unused)

    def _run(self, run: str, metrics: dict[str, Points], system: dict[str, Points]) -> LoggedRun:
        series: dict[str, Series] = {}
        dropped = 0
        for key, points in metrics.items():
            good, bad = usable(points)
            dropped += bad
            if len(good):
                series[key] = good.series()
        known = [(each.step, each.at) for each in series.values() if each.at is not None]
        placed = 0
        for key, points in system.items():
            if key not in series and (steps := steps_by_time(points.at, known)) is not None:
                series[key] = Points(steps, points.at, points.value).series()
                placed += 1
        notes = dropped_steps(dropped)
        if placed:
            notes.append("System metrics have no steps; they are placed by the time of logging.")
        config = self.configs.get(run, {})
        hyperparameters = {key: value for key, value in config.items() if not key.startswith("_")}
        tags = {key[1:].lower(): str(value) for key, value in config.items() if key.startswith("_") and value}
        # A run that is resumed states anew when it was created.
        starts = [self.created[run]] if run in self.created else []
        starts += [float(np.nanmin(at)) for _, at in known]
        is_old = run == self.names[run]
        return LoggedRun(
            files=tuple(self.files),
            series=series,
            key=run,
            name=self.names[run],
            identity="" if is_old else run,
            config={"config": hyperparameters} if hyperparameters else {},
            started=min(starts, default=None),
            tags={"project": self.path[-1].rpartition(".")[0], **tags},
            notes=tuple(notes),
        )


def _by_run(gathering: Gathering) -> dict[str, dict[str, Points]]:
    found: dict[str, dict[str, Points]] = {}
    for run, key, points in gathering.points():
        found.setdefault(run, {})[key] = points
    return found


def gather(
    gathering: Gathering,
    columns: Iterable[tuple[str, np.ndarray, np.ndarray]],
    runs: list[str],
    which: np.ndarray,
    step: np.ndarray,
    at: np.ndarray,
) -> None:
    """Keep the numbers of some rows.

    Args:
        gathering: Where.
        columns: Key, which rows have it, and its values, as of ``number_columns``.
        runs: Ids.
        which: For each row the place of its run, shape (n,).
        step: Shape (n,), int64.
        at: Shape (n,), float64, Unix seconds.
    """
    for key, rows, values in columns:
        distinct, places = np.unique(which[rows], return_inverse=True)
        gathering.add([(runs[each], key) for each in distinct.tolist()], places, step[rows], at[rows], values)


class Seconds:
    """Unix seconds of texts; rows that are written together have the same."""

    def __init__(self) -> None:
        self._known: dict[Any, float] = {}

    def of(self, texts: Sequence[Any]) -> np.ndarray:
        """Shape (n,), float64; NaN for what is no time."""
        for text in set(texts).difference(self._known):
            found = moment(text.decode("ascii", "replace") if isinstance(text, bytes) else text)
            self._known[text] = np.nan if found is None else found.timestamp()
        at = np.array([self._known[text] for text in texts], dtype=np.float64)
        if len(self._known) > MOST_RUNS:
            self._known.clear()
        return at
