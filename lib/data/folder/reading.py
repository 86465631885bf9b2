"""Reading the files of one unit: the trainings of a ``Trainer`` in a folder, or what another program logged."""

from __future__ import annotations

import hashlib
import logging
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.masks import metric_name
from lib.data.folder.beside import side_places
from lib.data.folder.checkpoints import candidates, checkpoints_of
from lib.data.folder.grouping import Training, trainings_in
from lib.data.folder.memory.kept import Kept
from lib.data.folder.names import path_text, readable
from lib.data.folder.scan import Scan, Stamp
from lib.data.folder.units import FoundForm, FoundUnit
from lib.data.formats.logged import FilePath, Folder, Format, Told
from lib.data.trainer.hf_log import TRAINER_STATE, TrainerLog, read_trainer_log, read_trainer_logs
from lib.data.trainer.hf_trainer import summarise_run
from lib.data.trainer.log_marks import mark_of
from lib.data.trainer.merged_logs import MergedLogs
from lib.data.trainer.training_files import JsonFile, Unread, is_side_file, is_yaml, read_side_file

TRAINER = "Hugging Face Trainer"
"""What the format is called whose files are read here and not by a reader of ``lib.data.formats``."""
KEPT_LOG_POINTS = 1_000_000
"""Of states that were read: when a checkpoint comes, those that lie there are not parsed again."""
MOST_TOGETHER = 2 * 2**20
"""Logs of so many bytes are read together: as objects they take ten times the room."""

_FAILED = "the reader of this format failed; the app's log says how."
_LOG = logging.getLogger(__name__)

Curves = Mapping[str, RunCurves]
"""The curves of a unit's runs, by ``tag_of``."""


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a unit, as they lay there when they were looked for.

    Attributes:
        states: Of a folder of trainings: its files by the folder that they lie in.
        format: What reads the files of any other unit.
        paths: These files.
    """

    scan: Scan
    states: Mapping[Folder, Mapping[str, Stamp]] | None = None
    format: Format | None = None
    paths: tuple[FilePath, ...] = ()


def tag_of(form: FoundForm) -> str:
    """Tells a run from the others of its unit."""
    return form.run_id or form.key


def stamps_of(folder: Folder, files: Files) -> object:
    """All that a unit's content depends on."""
    if files.states is not None:
        below = files.scan.weights_below(folder)
        weights = [(place, files.scan.weights[place]) for place in below]
        return _sorted(files.states), candidates(folder, files.scan), weights
    beside = {place: files.scan.files.get(place) for place in side_places(files.paths, files.scan)}
    return [(path, files.scan.stamps.get(path)) for path in files.paths], _sorted_sides(beside)


def digest(*seen: object) -> str:
    """Another text for anything else."""
    return hashlib.blake2b(repr(seen).encode(), digest_size=16).hexdigest()


class UnitReader:
    """Reads units below a root. Safe to share between threads.

    Args:
        root: Where the folder lies.
        top: What it is called.
    """

    def __init__(self, root: Path, top: str) -> None:
        self._root, self._top = root, top
        self._logs: Kept[FilePath, TrainerLog] = Kept(KEPT_LOG_POINTS)

    def read_ahead(self, units: Iterable[Files]) -> None:
        """Read the short logs of units that are read next: together that takes half as long as one by one."""
        left, together = MOST_TOGETHER, {}
        for place, names in chain.from_iterable((each.states or {}).items() for each in units):
            stamp = names.get(TRAINER_STATE)
            if stamp is not None and stamp[1] <= left:
                together[(*place, TRAINER_STATE)] = stamp
                left -= stamp[1]
        logs = read_trainer_logs([Path(os.path.join(self._root, *path)) for path in together])
        for (path, stamp), log in zip(together.items(), logs, strict=True):
            if isinstance(log, TrainerLog):
                self._logs.put(path, stamp, log, len(log.points))

    def read(self, folder: Folder, files: Files, sight: str, *, facts_only: bool = False) -> tuple[FoundUnit, Curves]:
        """What is in the files of a unit; never raises for it.

        Args:
            folder: Names the unit.
            files: Of the unit.
            sight: Names what was there to see.
            facts_only: Nobody wants the curves: where they are not needed for the facts they are not made.
        """
        try:
            if files.states is not None:
                found, merged = self._trainings(folder, files.states, files.scan, sight)
                return found, {} if facts_only else {tag: each.curves(tag) for tag, each in merged.items()}
            return self._logged(folder, files, sight)
        except Exception:
            # A fault of ours, which must not take the other runs down.
            title = TRAINER if files.format is None else files.format.title
            _LOG.exception("The reader of %s failed.", title)
            states = [
                (*place, TRAINER_STATE) for place, names in (files.states or {}).items() if TRAINER_STATE in names
            ]
            first = (*states, *files.paths)[0]
            return FoundUnit(sight, unreadable=(Told(first, f"{title}: {_FAILED}"),)), {}

    def beginning(self, form: FoundForm, count: int) -> str:
        """How the leading log of a ``Trainer``'s run begins, at so many points; "" where it no longer has them."""
        log = read_trainer_log(self._path(form.files[0][:-1], TRAINER_STATE))
        if isinstance(log, Unread) or len(log.points) < count:
            return ""
        return log.points.openings([count])[0]

    def _logged(self, folder: Folder, files: Files, sight: str) -> tuple[FoundUnit, Curves]:
        # A state of a Trainer needs none of that, and a process that reads ahead is there sooner without.
        from lib.data.formats.assembly import form_of

        reader = files.format
        assert reader is not None
        reading = reader.read(self._root, folder, files.paths)
        if reading is None:
            return FoundUnit(sight, is_read=False), {}
        stamps = {path: files.scan.stamps.get(path) for path in files.paths}
        changed = max((stamp[0] for stamp in stamps.values() if stamp is not None), default=math.nan) / 1e9
        sides, problems = self._side_files(files.paths, files.scan) if reading.runs else ({}, ())
        found, curves = [], {}
        for logged in reading.runs:
            form = form_of(folder, reader.title, logged, sides, changed)
            own = FoundForm(
                form.folder,
                form.format,
                form.files,
                form.key,
                form.identity,
                form.name,
                form.parent,
                form.run,
                {metric: len(curve) for metric, curve in form.curves.curves.items()},
                "",
            )
            # Of a file with many runs the time of its last change is that of any of them.
            own_facts = replace(form.run, created_at=None, updated_at=None) if len(reading.runs) > 1 else form.run
            seen = digest(own_facts, _content(form.curves))
            found.append(replace(own, seen=seen))
            curves[tag_of(found[-1])] = form.curves
        unreadable = (*reading.unreadable, *problems)
        return FoundUnit(sight, tuple(found), unreadable, reading.unused), curves

    def _side_files(
        self, paths: Sequence[FilePath], scan: Scan
    ) -> tuple[dict[str, Mapping[str, Any]], tuple[Told, ...]]:
        """The objects of the files beside those of a log, the nearest winning, and which of them could not be read."""
        read: dict[str, Mapping[str, Any]] = {}
        unread = []
        for place in side_places(paths, scan):
            for name in sorted(filter(is_side_file, scan.files.get(place, ()))):
                if is_yaml(name) and (*place, name) in paths:
                    continue  # The reader of the format has read it.
                found = read_side_file(self._path(place, name))
                if isinstance(found, Unread):
                    unread.append(Told((*place, name), found.reason))
                else:
                    read.setdefault(name, found.content)
        return read, tuple(unread)

    def _trainings(
        self, folder: Folder, files: Mapping[Folder, Mapping[str, Stamp]], scan: Scan, sight: str
    ) -> tuple[FoundUnit, dict[str, MergedLogs]]:
        unread: list[tuple[Folder, str, Unread]] = []
        logs: list[tuple[Folder, TrainerLog]] = []
        for place in files:
            if TRAINER_STATE not in files[place]:
                continue
            read = self._log(place, files[place][TRAINER_STATE])
            if isinstance(read, Unread):
                unread.append((place, TRAINER_STATE, read))
            else:
                logs.append((place, read))
        trainings = trainings_in(folder, logs, candidates(folder, scan))
        beside: dict[Folder, dict[str, Mapping[str, Any]]] = {}
        for place in dict.fromkeys((folder, *(each.logs[-1][0] for each in trainings))) if logs else ():
            for name in sorted(filter(is_side_file, files.get(place, ()))):
                side = read_side_file(self._path(place, name))
                if isinstance(side, JsonFile):
                    beside.setdefault(place, {})[name] = side.content
                else:
                    unread.append((place, name, side))
        problems = tuple(Told((*place, name), read.reason) for place, name, read in unread)
        settled = not any(read.transient for _, _, read in unread)
        forms, merged = [], {}
        for each in trainings:
            form, own = self._form(folder, each, files, beside, problems, scan)
            forms.append(form)
            merged[tag_of(form)] = own
        return FoundUnit(sight, tuple(forms), problems, is_settled=settled), merged

    def _form(
        self,
        folder: Folder,
        training: Training,
        files: Mapping[Folder, Mapping[str, Stamp]],
        beside: Mapping[Folder, Mapping[str, Mapping[str, Any]]],
        problems: Sequence[Told],
        scan: Scan,
    ) -> tuple[FoundForm, MergedLogs]:
        places = [place for place, _ in training.logs]
        lead, log = training.logs[-1]
        is_own = training.path == folder and (training.is_alone or folder in places)
        if is_own:
            places = [folder, *places]
        seen = {place: files[place] for place in places if place in files}
        side_files = {**beside.get(lead, {}), **(beside.get(folder, {}) if is_own else {})}
        stamps = [stamp for names in seen.values() for stamp in names.values() if stamp is not None]
        notes = list(training.notes)
        if beside.get(folder) and not is_own and training.path == folder:
            notes.append(f"Files that may be of any of them were left out: {', '.join(beside[folder])}.")
        paths = tuple((*place, TRAINER_STATE) for place, _ in reversed(training.logs))
        run, merged = summarise_run(
            training.run_id,
            [each for _, each in training.logs],
            side_files,
            [readable(name) for name in (self._top, *training.path)],
            max((stamp[0] for stamp in stamps), default=math.nan) / 1e9,
            {
                "checkpoints": checkpoints_of(training.path, training.may_hold, dict(training.logs), log, scan),
                "extra": {"folder": path_text(training.path)},
                "notes": notes,
                "formats": (TRAINER,),
                "files": tuple(path_text(path[:-1], path[-1]) for path in paths),
            },
        )
        held = [(place, scan.weights.get(place), scan.checkpoints.get(place)) for place in training.may_hold]
        form = FoundForm(
            training.path,
            TRAINER,
            paths,
            "",
            "",
            "",
            "",
            run,
            {metric_name(name): count for name, count in merged.counts().items()},
            digest(_sorted(seen), problems, held, run.checkpoints),
            run_id=training.run_id,
            label=training.files,
            mark=mark_of(log),
        )
        return form, merged

    def _log(self, place: Folder, stamp: Stamp) -> TrainerLog | Unread:
        path = (*place, TRAINER_STATE)
        known = self._logs.get(path, stamp) if stamp is not None else None
        if known is not None:
            return known
        read = read_trainer_log(self._path(place, TRAINER_STATE))
        # A log that stands alone is not needed again: its curves are kept.
        if isinstance(read, TrainerLog) and stamp is not None:
            self._logs.put(path, stamp, read, len(read.points))
        return read

    def _path(self, place: Folder, name: str) -> Path:
        return Path(os.path.join(self._root, *place, name))


def _content(curves: RunCurves) -> str:
    """Another text for any other point."""
    seen = hashlib.blake2b(digest_size=16)
    # Metrics that were logged together share their steps.
    steps = {id(curve.step): curve.step for curve in curves.curves.values()}
    digests = {each: hashlib.blake2b(np.ascontiguousarray(step).data).digest() for each, step in steps.items()}
    for metric, curve in sorted(curves.curves.items()):
        seen.update(f"{metric!r} {len(curve)} ".encode("utf-8", "surrogatepass") + digests[id(curve.step)])
        seen.update(np.ascontiguousarray(curve.value).data)
    return seen.hexdigest()


def _sorted(files: Mapping[Folder, Mapping[str, Stamp]]) -> list[tuple[Folder, list[tuple[str, Stamp]]]]:
    return sorted((folder, sorted(names.items())) for folder, names in files.items())


def _sorted_sides(files: Mapping[Folder, Mapping[str, Stamp] | None]) -> list[object]:
    return [
        (folder, sorted((name, stamp) for name, stamp in (names or {}).items() if is_side_file(name)))
        for folder, names in files.items()
    ]
