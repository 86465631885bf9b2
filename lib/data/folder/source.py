"""The runs found below a folder of training outputs.

Every folder that holds a log of a training (``lib.data.folder.formats``) is a run; its checkpoints' folders are
one run together with it, unless two trainings were written into one folder (``lib.data.folder.grouping``).
"""

from __future__ import annotations

import hashlib
import math
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lib.core.curves.metric_curves import RunCurves, cut
from lib.core.facts.foreign import isolated
from lib.core.facts.query import RunPage, RunQuery, Unreadable, answer
from lib.core.facts.runs import RunSummary
from lib.data.folder.checkpoints import candidates, checkpoints_of
from lib.data.folder.formats import LOG_READERS
from lib.data.folder.grouping import Training, files_by_run, same_trainings, trainings_in
from lib.data.folder.hf_log import TrainerLog
from lib.data.folder.hf_trainer import summarise_run
from lib.data.folder.names import readable, telling_names
from lib.data.folder.scan import Folder, Scan, Stamp, path_text, scan_tree
from lib.data.folder.training_files import JsonFile, Unread, is_side_file, read_side_file
from lib.data.source import wall_clock

SCAN_INTERVAL_S = 2.0
"""The tree is looked at again after this time at the earliest: one page asks the source several times."""

_Read = TrainerLog | JsonFile | Unread


@dataclass(frozen=True, slots=True)
class _FoundRun:
    """One training as read.

    Attributes:
        path: Of the folder that names it.
        files: The names that tell it from another training in the same folder; "" for the only one there.
        run: Its facts.
        curves: Its curves.
        log: The one that leads.
        seen: Another text whenever another file, another stamp or another problem was seen.
    """

    path: Folder
    files: str
    run: RunSummary
    curves: RunCurves
    log: TrainerLog
    seen: str


@dataclass(frozen=True, slots=True)
class _FoundFolder:
    """The trainings in one folder and its checkpoints.

    Attributes:
        sight: What was there to see: as long as it stays, nothing is read again.
        runs: The trainings; none where no log could be read.
        unreadable: What could not be read.
        settled: False where another try may give more, though no file changes.
    """

    sight: object
    runs: tuple[_FoundRun, ...]
    unreadable: tuple[Unreadable, ...]
    settled: bool = True


@dataclass(frozen=True, slots=True)
class _Collection:
    """Everything below the root at one moment."""

    runs: Mapping[str, RunSummary] = field(default_factory=dict)
    curves: Mapping[str, RunCurves] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()


class FolderSource:
    """A ``RunSource`` over the files below a folder.

    Runs are called by the folder names that tell them apart, and identified by their path below the
    root. Files are read once, and again only when their times or their size change.
    """

    synthetic = False

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Take the folder to look into; it is looked into on the first read."""
        self._root = Path(os.path.realpath(os.path.expanduser(path)))
        self.cache_key = f"folder:{hashlib.sha256(os.fsencode(self._root)).hexdigest()[:16]}"
        self._top = self._root.name or str(self._root)
        self.title = readable(self._top)
        self._lock = threading.Lock()
        self._scanned_at: float | None = None
        self._reads: dict[tuple[Folder, str], tuple[Stamp, _Read]] = {}
        self._found: dict[Folder, _FoundFolder] = {}
        self._collection = _Collection()

    def now(self) -> datetime:
        """The moment it is."""
        return wall_clock()

    def list_runs(self, query: RunQuery) -> RunPage:
        """As ``RunSource.list_runs``; paths of what could not be read start below the root."""
        now = self._current()
        return answer(now.runs.values(), query, now.unreadable)

    def load_runs(self, run_ids: Sequence[str]) -> tuple[RunSummary, ...]:
        """As ``RunSource.load_runs``."""
        runs = self._current().runs
        return tuple(runs[run_id] for run_id in run_ids if run_id in runs)

    def load_curves(
        self,
        run_ids: Sequence[str],
        metrics: Sequence[str] | None = None,
        steps: tuple[int, int] | None = None,
        buckets: int | None = None,
    ) -> dict[str, RunCurves]:
        """As ``RunSource.load_curves``; every point is there, whatever ``buckets`` says."""
        known = self._current().curves
        found = {}
        for run_id in dict.fromkeys(run_ids):
            run = known.get(run_id, RunCurves(run_id))
            if metrics is not None:
                kept = {metric: curve for metric, curve in run.curves.items() if metric in metrics}
                run = replace(run, curves=MappingProxyType(kept))
            run = run if steps is None else cut(run, *steps)
            if run.curves:
                found[run_id] = run
        return found

    def _current(self) -> _Collection:
        with self._lock:
            if self._scanned_at is None or time.monotonic() - self._scanned_at >= SCAN_INTERVAL_S:
                self._collection = self._collect(scan_tree(self._root))
                self._scanned_at = time.monotonic()
            return self._collection

    def _collect(self, scan: Scan) -> _Collection:
        self._found = {folder: self._read_folder(folder, files, scan) for folder, files in files_by_run(scan).items()}
        self._reads = {key: read for key, read in self._reads.items() if key[1] in scan.files.get(key[0], ())}
        found = [one for folder in self._found.values() for one in folder.runs]
        logs = {one.run.run_id: one.log for one in found}
        names = dict(zip(logs, self._names(found), strict=True))
        same = same_trainings(logs, names)
        copies: defaultdict[str, list[str]] = defaultdict(list)
        for run_id, log in logs.items():
            if len(log.points):
                copies[log.digest].append(run_id)
        runs: dict[str, RunSummary] = {}
        for one in found:
            run_id, leading = one.run.run_id, same.get(one.run.run_id)
            others = [other for other in copies[one.log.digest] if other != run_id]
            notes = (*one.run.notes, *_twin_note([names[other] for other in others]))
            if leading is not None and leading not in others:
                how = "says the same as" if len(one.log.points) == len(logs[leading].points) else "is the beginning of"
                notes = (*notes, f'The log {how} that of "{isolated(names[leading])}": the same training.')
            version = _digest(one.seen, names[run_id], notes, leading)
            runs[run_id] = replace(one.run, name=names[run_id], notes=notes, same_training_as=leading, version=version)
        unreadable = [
            *scan.unreadable,
            *(problem for one in self._found.values() for problem in one.unreadable),
        ]
        curves = {one.run.run_id: one.curves for one in found}
        return _Collection(runs, curves, tuple(sorted(unreadable, key=lambda problem: problem.path)))

    def _names(self, found: Sequence[_FoundRun]) -> list[str]:
        """What each training is called: by its folder, and by its files where others are in the same one."""
        paths = [(self._top, *one.path) for one in found]
        names = telling_names(set(paths))
        return [
            f"{names[path]} ({one.files})" if one.files else names[path] for path, one in zip(paths, found, strict=True)
        ]

    def _read_folder(self, folder: Folder, files: Mapping[Folder, Mapping[str, Stamp]], scan: Scan) -> _FoundFolder:
        places = candidates(folder, scan)
        weights = [(place, names) for place, names in scan.weights.items() if place[: len(folder)] == folder]
        sight = files, places, weights
        before = self._found.get(folder)
        if before is not None and before.settled and before.sight == sight:
            return before
        unread: list[tuple[Folder, str, Unread]] = []
        logs: list[tuple[Folder, TrainerLog]] = []
        for place in files:
            for name in sorted(LOG_READERS.keys() & files[place].keys()):
                read = self._read(place, name, files[place][name], LOG_READERS[name])
                if isinstance(read, Unread):
                    unread.append((place, name, read))
                else:
                    logs.append((place, read))
        trainings = trainings_in(folder, logs, places)
        beside: dict[Folder, dict[str, Mapping[str, Any]]] = {}
        for place in dict.fromkeys((folder, *(each.logs[-1][0] for each in trainings))) if logs else ():
            for name in sorted(filter(is_side_file, files.get(place, ()))):
                read = self._read(place, name, files[place][name], read_side_file)
                if isinstance(read, Unread):
                    unread.append((place, name, read))
                else:
                    beside.setdefault(place, {})[name] = read.content
        problems = tuple(Unreadable(path_text(place, name), read.reason) for place, name, read in unread)
        runs = tuple(self._found_run(folder, each, files, beside, problems, scan) for each in trainings)
        return _FoundFolder(sight, runs, problems, settled=not any(read.transient for _, _, read in unread))

    def _found_run(
        self,
        folder: Folder,
        training: Training,
        files: Mapping[Folder, Mapping[str, Stamp]],
        beside: Mapping[Folder, Mapping[str, Mapping[str, Any]]],
        problems: Sequence[Unreadable],
        scan: Scan,
    ) -> _FoundRun:
        places = [place for place, _ in training.logs]
        lead, log = training.logs[-1]
        is_own = training.path == folder and (training.is_alone or folder in places)
        if is_own:
            places = [folder, *places]
        seen = {place: files[place] for place in places if place in files}
        side_files = {**beside.get(lead, {}), **(beside.get(folder, {}) if is_own else {})}
        stamps = [stamp for names in seen.values() for stamp in names.values() if stamp is not None]
        run, curves = summarise_run(
            training.run_id,
            [each for _, each in training.logs],
            side_files,
            [readable(name) for name in (self._top, *training.path)],
            max((stamp[0] for stamp in stamps), default=math.nan) / 1e9,
        )
        notes = [*run.notes, *training.notes]
        if beside.get(folder) and not is_own and training.path == folder:
            notes.append(f"Files that may be of any of them were left out: {', '.join(beside[folder])}.")
        run = replace(
            run,
            checkpoints=checkpoints_of(training.path, training.may_hold, dict(training.logs), log, scan),
            extra={**run.extra, "folder": path_text(training.path)},
            notes=tuple(notes),
        )
        held = [(place, scan.weights.get(place), scan.checkpoints.get(place)) for place in training.may_hold]
        return _FoundRun(
            training.path, training.files, run, curves, log, _digest(_sorted(seen), problems, held, run.checkpoints)
        )

    def _read(self, folder: Folder, name: str, stamp: Stamp, reader: Callable[[Path], Any]) -> Any:
        known = self._reads.get((folder, name))
        if known is not None and known[0] == stamp:
            return known[1]
        read = reader(self._root.joinpath(*folder, name))
        if not (isinstance(read, Unread) and read.transient):
            self._reads[folder, name] = stamp, read
        return read


def _sorted(files: Mapping[Folder, Mapping[str, Stamp]]) -> list[tuple[Folder, list[tuple[str, Stamp]]]]:
    return sorted((folder, sorted(names.items())) for folder, names in files.items())


def _digest(*seen: object) -> str:
    return hashlib.blake2b(repr(seen).encode(), digest_size=16).hexdigest()


def _twin_note(names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        return ()
    listed = " and ".join(f'"{isolated(name)}"' for name in names)
    return (f"The log is byte for byte that of {listed}: the same training, listed more than once.",)
