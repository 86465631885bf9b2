"""The runs found below a folder of training outputs.

Every folder that holds a log of a training (``lib.data.folder.formats``) is a run; the ``checkpoint-*``
folders of one folder are one run together with it.
"""

from __future__ import annotations

import hashlib
import math
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lib.core.curves.metric_curves import RunCurves, cut
from lib.core.facts.query import RunPage, RunQuery, Unreadable, answer
from lib.core.facts.runs import RunSummary
from lib.data.folder.formats import LOG_READERS
from lib.data.folder.hf_log import TrainerLog
from lib.data.folder.hf_trainer import summarise_run
from lib.data.folder.names import readable, run_id_of, telling_names
from lib.data.folder.scan import CHECKPOINT_PREFIX, Folder, Scan, Stamp, path_text, scan_tree
from lib.data.folder.training_files import JsonFile, Unread, is_side_file, read_side_file

SCAN_INTERVAL_S = 2.0
"""The tree is looked at again after this time at the earliest: one page asks the source several times."""

_Read = TrainerLog | JsonFile | Unread


@dataclass(frozen=True, slots=True)
class _FoundRun:
    """One run as read.

    Attributes:
        files: The files it was made of, with their stamps.
        run: ``None`` where no log of it could be read.
        curves: Its curves.
        seen: Another text whenever another file, another stamp or another problem was seen.
        digest: Equal where the leading log is, byte for byte; empty without any curve.
        settled: False where another try may give more, though no file changes.
    """

    files: Mapping[Folder, Mapping[str, Stamp]]
    run: RunSummary | None
    curves: RunCurves
    unreadable: tuple[Unreadable, ...]
    seen: str = ""
    digest: str = ""
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
        self.title = f"Runs in {readable(self._top)}"
        self._lock = threading.Lock()
        self._scanned_at: float | None = None
        self._reads: dict[tuple[Folder, str], tuple[Stamp, _Read]] = {}
        self._found: dict[Folder, _FoundRun] = {}
        self._collection = _Collection()

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
        self._found = {folder: self._read_run(folder, files) for folder, files in _files_by_run(scan).items()}
        self._reads = {key: read for key, read in self._reads.items() if key[1] in scan.files.get(key[0], ())}
        found = {folder: (one, one.run) for folder, one in self._found.items() if one.run is not None}
        paths = {folder: (self._top, *folder) for folder in found}
        names = telling_names(paths.values())
        runs: dict[str, RunSummary] = {}
        curves: dict[str, RunCurves] = {}
        twins: defaultdict[str, list[str]] = defaultdict(list)
        for folder, (one, _) in found.items():
            if one.digest:
                twins[one.digest].append(names[paths[folder]])
        for folder, (one, run) in found.items():
            name = names[paths[folder]]
            others = [twin for twin in twins.get(one.digest, ()) if twin != name]
            notes = (*run.notes, *_twin_note(others))
            version = _digest(one.seen, name, notes, _checkpoints_in(folder, scan))
            runs[run.run_id] = replace(run, name=name, notes=notes, version=version)
            curves[run.run_id] = one.curves
        unreadable = [
            *scan.unreadable,
            *(problem for one in self._found.values() for problem in one.unreadable),
        ]
        return _Collection(runs, curves, tuple(sorted(unreadable, key=lambda problem: problem.path)))

    def _read_run(self, folder: Folder, files: Mapping[Folder, Mapping[str, Stamp]]) -> _FoundRun:
        before = self._found.get(folder)
        if before is not None and before.settled and before.files == files:
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
        logs.sort(key=lambda pair: _lead(folder, *pair))
        side_files: dict[str, Mapping[str, Any]] = {}
        for place in dict.fromkeys((folder, logs[-1][0])) if logs else ():
            for name in sorted(files.get(place, ())):
                if is_side_file(name) and name not in side_files:
                    read = self._read(place, name, files[place][name], read_side_file)
                    if isinstance(read, Unread):
                        unread.append((place, name, read))
                    else:
                        side_files[name] = read.content
        problems = tuple(Unreadable(path_text(place, name), read.reason) for place, name, read in unread)
        settled = not any(read.transient for _, _, read in unread)
        if not logs:
            return _FoundRun(files, None, RunCurves(run_id_of(folder)), problems, settled=settled)
        stamps = [stamp for names in files.values() for stamp in names.values() if stamp is not None]
        changed_at = max((stamp[0] for stamp in stamps), default=math.nan) / 1e9
        run, curves = summarise_run(
            run_id_of(folder),
            [log for _, log in logs],
            side_files,
            [readable(name) for name in (self._top, *folder)],
            changed_at,
        )
        run = replace(run, extra={**run.extra, **_whereabouts(folder, [place for place, _ in logs])})
        digest = logs[-1][1].digest if curves.curves else ""
        return _FoundRun(files, run, curves, problems, _digest(_sorted(files), problems), digest, settled)

    def _read(self, folder: Folder, name: str, stamp: Stamp, reader: Callable[[Path], Any]) -> Any:
        known = self._reads.get((folder, name))
        if known is not None and known[0] == stamp:
            return known[1]
        read = reader(self._root.joinpath(*folder, name))
        if not (isinstance(read, Unread) and read.transient):
            self._reads[folder, name] = stamp, read
        return read


def _files_by_run(scan: Scan) -> dict[Folder, dict[Folder, Mapping[str, Stamp]]]:
    """The files of each run, by the run's folder and then by the folder they lie in."""
    runs: dict[Folder, dict[Folder, Mapping[str, Stamp]]] = {}
    for folder, names in scan.files.items():
        if LOG_READERS.keys() & names.keys():
            run_folder = folder
            while run_folder and run_folder[-1].startswith(CHECKPOINT_PREFIX):
                run_folder = run_folder[:-1]
            members = runs.setdefault(run_folder, {})
            members[folder] = names
            if run_folder in scan.files:
                members[run_folder] = scan.files[run_folder]
    return runs


def _checkpoints_in(folder: Folder, scan: Scan) -> list[Folder]:
    """Every checkpoint's folder of the run in a folder, also those of checkpoints of checkpoints."""
    found = [(*folder, name) for name in scan.checkpoints.get(folder, ())]
    return sorted([*found, *(inner for each in found for inner in _checkpoints_in(each, scan))])


def _sorted(files: Mapping[Folder, Mapping[str, Stamp]]) -> list[tuple[Folder, list[tuple[str, Stamp]]]]:
    return sorted((folder, sorted(names.items())) for folder, names in files.items())


def _digest(*seen: object) -> str:
    return hashlib.blake2b(repr(seen).encode(), digest_size=16).hexdigest()


def _lead(run_folder: Folder, folder: Folder, log: TrainerLog) -> tuple[int, int, bool, Folder]:
    """Sorts the log that tells most last: the furthest, then the fullest, then that of the run itself."""
    step = -1 if log.last_step is None else log.last_step
    return step, len(log.points), folder == run_folder, folder


def _whereabouts(folder: Folder, places: Iterable[Folder]) -> dict[str, Any]:
    checkpoints = sorted(place[-1] for place in places if place != folder)
    facts: dict[str, Any] = {"folder": path_text(folder)}
    if checkpoints:
        facts["checkpoints"] = tuple(readable(name) for name in checkpoints)
    return facts


def _twin_note(names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        return ()
    listed = " and ".join(f'"{name}"' for name in names)
    return (f"The log is byte for byte that of {listed}: the same training, listed more than once.",)
