"""What a reader makes of files: runs as one program logged them, in that program's own words.

Readers translate no names and decide nothing about a run: which metric is which, what is one run in several forms and
what a run's facts are is worked out once for all of them (``lib.data.formats.assembly``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Protocol

import numpy as np

from lib.core.facts.runs import RunStatus

Folder = tuple[str, ...]
"""A folder by the names on the way from the root to it; the root itself is ``()``."""
FilePath = tuple[str, ...]
"""A file by the names on the way from the root to it; never empty."""

EMPTY = "The file is empty: nothing was written to it, or it was not copied."


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One metric as it was logged: points in the order in which they were written; steps may repeat.

    Attributes:
        step: What the log counts in (``LoggedRun.counted``), shape (n,), int64, at least 0.
        value: Shape (n,), float64; NaN or an infinity where just that was logged. What was blank has no point.
        epoch: Epochs done at each point, shape (n,), float64, NaN where not logged; ``None`` for none at all.
        at: Seconds on some clock, the same for all series of a run; shape and gaps as ``epoch``.
    """

    step: np.ndarray
    value: np.ndarray
    epoch: np.ndarray | None = None
    at: np.ndarray | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoggedRun:
    """One run as one program logged it. ``None`` and "" mean *not recorded*.

    Attributes:
        key: Tells it from the other runs of the same unit; "" for the only one. Stays as the log grows.
        name: What the log calls it; "" where only its folder does.
        identity: What it is called wherever it was logged (a W&B run id): logs of one identity are one run.
        parent: The name or identity of the run that it is a part of, where the log says so.
        files: What it was read from, by path below the root, the one with the curves first.
        series: By the name that the program gave each metric.
        counted: What ``Series.step`` counts. Where a log counts nothing else, epochs are its steps.
        config: Hyperparameters as logged, by section (``{"args": {...}}``), possibly nested.
        last: Numbers of no step: closing summaries, final results.
        status: What the log says about its end; UNKNOWN where it does not say so (most do not).
        said: The log's own word for its status.
        started, ended: Unix seconds.
        created_at: The same, where the log knows it and not when training began.
        total_steps, total_epochs: What was planned.
        tags: Facts in words that are no hyperparameters (the host, the user's notes).
        notes: Sentences about how it was read: what was dropped, cut or guessed.
    """

    files: tuple[FilePath, ...]
    series: Mapping[str, Series] = field(default_factory=lambda: MappingProxyType({}))
    key: str = ""
    name: str = ""
    identity: str = ""
    parent: str = ""
    counted: Literal["step", "epoch"] = "step"
    config: Mapping[str, Any] = field(default_factory=dict)
    last: Mapping[str, float] = field(default_factory=dict)
    status: RunStatus = RunStatus.UNKNOWN
    said: str | None = None
    error: str | None = None
    started: float | None = None
    ended: float | None = None
    created_at: float | None = None
    total_steps: int | None = None
    total_epochs: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """A file, and a sentence on it."""

    path: FilePath
    why: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader made of the files of a unit.

    Attributes:
        runs: What was found. One without series states facts of a run that is logged elsewhere, or was never logged:
            a row of a sweep's table, hyperparameters without metrics.
        unreadable: Files of this format that could not be read, or only up to some place.
        unused: Files that were read, and hold nothing that can be shown ("an event file without scalars").
    """

    runs: tuple[LoggedRun, ...] = ()
    unreadable: tuple[Told, ...] = ()
    unused: tuple[Told, ...] = ()


class Format(Protocol):
    """A format of logs.

    Attributes:
        title: What people call it ("TensorBoard").
        reads: Which files, in a few words, for people ("event files").
        is_general: It takes files of common names (``.csv``, ``.txt``) by what stands in them: asked after all others.
    """

    title: str
    reads: str
    is_general: bool

    def matches(self, path: FilePath) -> bool:
        """Whether a file may be of this format, by its path alone."""
        ...

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        """Which of the files that match belong together, by the folder that names their run or runs.

        A unit is read as one, and again as soon as one of its files changes.
        """
        ...

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        """Read a unit; never raises for what is in the files, and reads a file that grows as far as it is whole.

        Opens files through ``lib.data.formats.files``, which takes regular files only.

        Returns:
            ``None`` where the files are not of this format after all: the next one is asked.
        """
        ...


def by_folder(files: Sequence[FilePath]) -> dict[Folder, list[FilePath]]:
    """The units of a format whose every folder is one."""
    found: dict[Folder, list[FilePath]] = {}
    for path in files:
        found.setdefault(path[:-1], []).append(path)
    return found


def by_file(files: Sequence[FilePath]) -> dict[Folder, list[FilePath]]:
    """The units of a format whose every file is one, named by its folder and its own name."""
    return {path: [path] for path in files}
