"""Logs as readers give them, in few words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from lib.data.formats.assembly import form_of
from lib.data.formats.forms.form import Form
from lib.data.formats.logged import LoggedRun, Series

CHANGED = 1_790_000_000.0


def series(step: Iterable[int], value: Iterable[float], at: Iterable[float] | None = None) -> Series:
    clock = None if at is None else np.array(list(at), dtype=np.float64)
    return Series(np.array(list(step), dtype=np.int64), np.array(list(value), dtype=np.float64), at=clock)


def falling(steps: Iterable[int], scale: float = 2.0, digits: int | None = None) -> Series:
    """A loss that falls as ``scale / sqrt(step + 1)``, rounded to some decimals."""
    steps = list(steps)
    values = [scale / (step + 1) ** 0.5 for step in steps]
    return series(steps, values if digits is None else [round(value, digits) for value in values])


def form(
    path: str,
    logged: Mapping[str, Series],
    format: str = "TensorBoard",
    side_files: Mapping[str, Any] | None = None,
    **facts: Any,
) -> Form:
    """A form of a log at ``path``; a path that ends with a "." in its last part is that of a file."""
    folder = tuple(part for part in path.split("/") if part)
    is_file = bool(folder) and "." in folder[-1]
    files = facts.pop("files", None) or ((folder,) if is_file else ((*folder, "events.out"),))
    run = LoggedRun(files=files, series=logged, **facts)
    return form_of(folder, format, run, side_files or {}, CHANGED)
