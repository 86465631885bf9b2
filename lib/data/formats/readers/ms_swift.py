"""ms-swift: ``logging.jsonl`` and ``args.json`` in a folder for each start (``v0-20251009-085320``)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lib.core.facts.runs import RunStatus
from lib.core.facts.values import finite
from lib.data.formats.files import NotReadable, read_bytes
from lib.data.formats.json_columns import NamedColumns, lines_of
from lib.data.formats.json_rows import starts
from lib.data.formats.logged import FilePath, Folder, LoggedRun, Reading, Told, by_folder
from lib.data.formats.swift_rows import END, OF_CLOSING, STEP, is_closing, plain_cells, plain_row

LOG, ARGUMENTS = "logging.jsonl", "args.json"
MAX_BYTES = 256 * 2**20
MAX_SIDE_BYTES = 4 * 2**20
"""Arguments have kilobytes."""

_NO_METRICS = frozenset({"step", "total", "percentage", "epoch", "elapsed_time", "remaining_time", STEP})


class _MsSwift:
    title = "ms-swift"
    reads = "logging.jsonl"
    is_general = False

    def matches(self, path: FilePath) -> bool:
        return path[-1] in (LOG, ARGUMENTS)

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        return {folder: mine for folder, mine in by_folder(files).items() if any(path[-1] == LOG for path in mine)}

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        log = next((path for path in files if path[-1] == LOG), None)
        if log is None:
            return None
        try:
            logged = _Logged(read_bytes(root.joinpath(*log), MAX_BYTES))
        except NotReadable as error:
            return Reading(unreadable=(Told(log, str(error)),))
        if not logged.has_steps:
            return None
        unreadable: list[Told] = []
        used, config = [log], {}
        for path in files:
            if path[-1] == ARGUMENTS:
                try:
                    config = {"args": _arguments(root.joinpath(*path))}
                    used.append(path)
                except NotReadable as error:
                    unreadable.append(Told(path, str(error)))
        notes = [f"Lines that are no JSON objects were left out: {logged.wrong:,}."] if logged.wrong else []
        return Reading(_runs(logged, tuple(used), config, notes), tuple(unreadable))


class _Logged:
    """What the lines of a log say.

    Attributes:
        columns: Their numbers.
        closing: The lines that close a training, by their places.
        has_steps: Whether one of them counts as ms-swift does.
        wrong: How many lines are none.
    """

    def __init__(self, content: bytes) -> None:
        self.columns = NamedColumns()
        self.closing: dict[int, Mapping[str, Any]] = {}
        self.has_steps, self.wrong = False, 0
        for lines in lines_of(content, as_objects=OF_CLOSING):
            plain = None if lines.cells is None else plain_cells(lines.cells)
            if plain is not None and lines.cells is not None:
                self.has_steps = self.has_steps or STEP in lines.cells
                self.columns.add_cells(plain, lines.count)
                continue
            rows, wrong = lines.objects()
            self.wrong += wrong
            begin = self.columns.rows
            self.closing.update((begin + at, row) for at, row in enumerate(rows) if is_closing(row))
            self.has_steps = self.has_steps or any(STEP in row for row in rows)
            self.columns.add_rows([plain_row(row) for row in rows])


def _runs(
    logged: _Logged, files: tuple[FilePath, ...], config: Mapping[str, Any], notes: Sequence[str]
) -> tuple[LoggedRun, ...]:
    columns = logged.columns
    step, total = columns.steps("step"), columns.steps("total")
    epoch, at = columns.of("epoch"), columns.of("elapsed_time")
    closing = np.zeros(columns.rows, dtype=bool)
    closing[list(logged.closing)] = True
    found = []
    # A closing line counts nothing, or the steps of the whole training: it begins none.
    trainings = starts(np.where(closing, -1, step))
    for index, places in enumerate(trainings, 1):
        mine = np.zeros(columns.rows, dtype=bool)
        mine[places] = (step[places] >= 0) & ~closing[places]
        ends = [logged.closing[place] for place in places[closing[places]].tolist()]
        last = {key: value for row in ends for key, value in _last(row).items()}
        planned = int(total[places].max())
        is_end = any(END in row for row in ends)
        said = list(notes)
        if len(trainings) > 1:
            said.append(f"The log holds {len(trainings):,} trainings, one after the other; this is number {index:,}.")
        found.append(
            LoggedRun(
                files=files,
                key="" if index == 1 else str(index),
                series=columns.series(mine, step, epoch=epoch, at=at, without=_NO_METRICS),
                config=config,
                last=last,
                status=RunStatus.COMPLETED if is_end else RunStatus.UNKNOWN,
                said="last_model_checkpoint is stated" if is_end else None,
                total_steps=planned if planned > 0 else None,
                notes=tuple(said),
            )
        )
    return tuple(found)


def _last(row: Mapping[str, Any]) -> dict[str, float]:
    return {
        key: parsed
        for key, value in row.items()
        if key not in _NO_METRICS and key != "global_step" and (parsed := finite(value)) is not None
    }


def _arguments(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_bytes(path, MAX_SIDE_BYTES).decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError) as error:
        raise NotReadable("Expected JSON, found a mistake.") from error
    if not isinstance(content, dict):
        raise NotReadable("Expected a JSON object with arguments, found something else.")
    return content


FORMAT = _MsSwift()
