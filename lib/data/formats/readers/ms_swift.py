"""ms-swift: ``logging.jsonl`` and ``args.json`` in a folder for each start (``v0-20251009-085320``)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lib.core.facts.runs import RunStatus
from lib.core.facts.values import finite, number
from lib.data.formats.files import NotReadable, read_bytes
from lib.data.formats.json_columns import Cells, NamedColumns, groups_in, lines_of, numbers_of_texts
from lib.data.formats.json_rows import starts
from lib.data.formats.logged import FilePath, Folder, LoggedRun, Reading, Told, by_folder

LOG, ARGUMENTS = "logging.jsonl", "args.json"
STEP = "global_step/max_steps"
END = "last_model_checkpoint"
MAX_BYTES = 256 * 2**20
MAX_SIDE_BYTES = 4 * 2**20
"""Arguments have kilobytes."""

_PLACE = re.compile(r"\s{0,9}(\d{1,15})\s{0,9}/\s{0,9}(\d{1,15})\s{0,9}")
_PART = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)\s?(d|h|m|s)")
_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_TIMES = frozenset({"elapsed_time", "remaining_time"})
_UNUSED = frozenset({"remaining_time", "percentage"})
_PLACE_GROUPS = r"\s{0,9}(?P<step>\d{1,15})\s{0,9}/\s{0,9}(?P<total>\d{1,15})\s{0,9}"
_TIME_GROUPS = (
    r"(?:(?P<d>\d{1,12})d ?)?(?:(?P<h>\d{1,12})h ?)?(?:(?P<m>\d{1,12})m ?)?(?:(?P<s>\d{1,12}(?:\.\d{1,9})?)s)?"
)
"""As most times are written: what is written otherwise is looked at by itself."""
_OF_CLOSING = (b'"last_model_checkpoint"', b'"train_runtime"')
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
        for lines in lines_of(content, as_objects=_OF_CLOSING):
            plain = None if lines.cells is None else _plain_cells(lines.cells)
            if plain is not None and lines.cells is not None:
                self.has_steps = self.has_steps or STEP in lines.cells
                self.columns.add_cells(plain, lines.count)
                continue
            rows, wrong = lines.objects()
            self.wrong += wrong
            begin = self.columns.rows
            self.closing.update((begin + at, row) for at, row in enumerate(rows) if _is_closing(row))
            self.has_steps = self.has_steps or any(STEP in row for row in rows)
            self.columns.add_rows([_plain(row) for row in rows])


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


def _is_closing(row: Mapping[str, Any]) -> bool:
    return END in row or ("train_runtime" in row and "loss" not in row)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its texts as numbers; of what else is no number some stays, and is none."""
    plain = dict(row)
    if isinstance(place := row.get(STEP), str) and (found := _PLACE.fullmatch(place)):
        del plain[STEP]
        plain["step"], plain["total"] = float(found[1]), float(found[2])
    for key, value in row.items():
        if key in _TIMES:
            plain[key] = _duration_said(value) if type(value) is str else duration(value)
        elif type(value) is str and value.endswith("%"):
            plain[key] = number(value[:-1])
    return plain


def _plain_cells(cells: Mapping[str, Cells]) -> dict[str, tuple[np.ndarray, np.ndarray]] | None:
    """The same of lines as cells: the rows and the numbers of each name; ``None`` where they need a closer look."""
    plain: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for name, each in cells.items():
        if name in _UNUSED:
            continue
        if each.numbers is not None:
            is_known = name != "elapsed_time" or bool(np.isfinite(each.numbers).all())
            plain[name] = (
                each.rows,
                each.numbers if is_known else np.where(np.isfinite(each.numbers), each.numbers, np.nan),
            )
        elif name == STEP:
            place = groups_in(each.texts, _PLACE_GROUPS)
            if place is None or "step" in cells or "total" in cells:
                return None
            plain["step"], plain["total"] = (each.rows, place["step"]), (each.rows, place["total"])
        elif name == "elapsed_time":
            parts = groups_in(each.texts, _TIME_GROUPS)
            if parts is None:
                return None
            plain[name] = (
                each.rows,
                sum(parts[unit] * seconds for unit, seconds in _SECONDS.items()) + np.zeros(len(each.rows)),
            )
        else:
            values, given = numbers_of_texts(each.texts, _said)
            plain[name] = each.rows[given], values[given]
    return plain


def _said(text: str) -> float | None:
    return number(text.removesuffix("%"))


@lru_cache(maxsize=4096)
def _duration_said(value: str) -> float | None:
    """As ``duration``: many lines in a row say the same."""
    return duration(value)


def duration(value: Any) -> float | None:
    """The seconds of a time as ms-swift writes it.

    Example:
        >>> duration("1h 2m 3s"), duration("5s"), duration("soon"), duration(2.5)
        (3723.0, 5.0, None, 2.5)
    """
    if not isinstance(value, str):
        return finite(value)
    parts = _PART.findall(value[:100])
    return sum(float(count) * _SECONDS[unit] for count, unit in parts) if parts else finite(value)


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
