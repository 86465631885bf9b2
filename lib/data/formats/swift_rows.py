"""The lines of ms-swift's log with their texts as numbers: its steps, times and shares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from lib.core.facts.values import finite, number
from lib.data.formats.cell_texts import groups_in, numbers_of_texts
from lib.data.formats.json_columns import Cells

END = "last_model_checkpoint"
OF_CLOSING = (b'"last_model_checkpoint"', b'"train_runtime"')
STEP = "global_step/max_steps"

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


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
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


def plain_cells(cells: Mapping[str, Cells]) -> dict[str, tuple[np.ndarray, np.ndarray]] | None:
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


def is_closing(row: Mapping[str, Any]) -> bool:
    return END in row or ("train_runtime" in row and "loss" not in row)
