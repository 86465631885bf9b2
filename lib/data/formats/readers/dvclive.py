"""DVCLive: a folder with ``plots/metrics/**.tsv``, ``params.yaml`` and ``metrics.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lib.data.formats.csv_tables import read_csv
from lib.data.formats.files import NotReadable, read_bytes
from lib.data.formats.logged import FilePath, Folder, LoggedRun, Reading, Series, Told
from lib.data.formats.safe_yaml import settings_of
from lib.data.formats.tables.axes import Axes, clock_of, is_count
from lib.data.formats.tables.runs import series_of
from lib.data.formats.tables.table import NoTable, Table
from lib.data.formats.tables.written import number_of

_PLOTS = ("plots", "metrics")
_OTHER_PLOTS = {("plots", "custom"), ("plots", "sklearn")}
"""Curves of one moment (ROC, calibration) and data of the program's own: taken, so that nobody makes runs of them."""
_PARAMS, _SUMMARY = "params.yaml", "metrics.json"
_USUAL_NAME = "dvclive"
_MOST_SUMMARY_BYTES = 4 * 2**20
_MOST_SERIES = 5_000
_MOST_DEPTH = 16


class DVCLive:
    """DVCLive's folder, whatever it is called."""

    title = "DVCLive"
    reads = "plots/metrics/*.tsv, params.yaml and metrics.json of DVCLive"
    is_general = False

    def matches(self, path: FilePath) -> bool:
        return path[-1] in (_PARAMS, _SUMMARY) or _folder_of(path) is not None or _shown_beside(path) is not None

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        """Folders with plots of metrics, or of the usual name: a ``params.yaml`` elsewhere is another program's."""
        found: dict[Folder, list[FilePath]] = {}
        for path in files:
            folder = _folder_of(path)
            if folder is not None:
                found.setdefault(folder, []).append(path)
        for path in files:
            beside = _shown_beside(path)
            if beside is not None:
                if beside in found:
                    found[beside].append(path)
            elif path[-1] in (_PARAMS, _SUMMARY):
                folder = path[:-1]
                if folder in found or folder[-1:] == (_USUAL_NAME,):
                    found.setdefault(folder, []).append(path)
        return found

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        plots = sorted(file for file in files if _folder_of(file) is not None)
        files = [file for file in files if _shown_beside(file) is None]
        unreadable: list[Told] = []
        notes: list[str] = []
        if len(plots) > _MOST_SERIES:
            notes.append(f"It has {len(plots):,} metrics; the first {_MOST_SERIES:,} are read.")
        series: dict[str, Series] = {}
        tags: dict[str, str] = {}
        read: list[FilePath] = []
        for file in plots[:_MOST_SERIES]:
            name = "/".join(file[len(folder) + len(_PLOTS) :]).removesuffix(".tsv")
            try:
                found = _curve(read_csv(root.joinpath(*file)))
            except NotReadable as error:
                unreadable.append(Told(file, str(error)))
                continue
            except NoTable:
                # The header is written first, and the rows when there are some.
                continue
            if isinstance(found, Series):
                series[name] = found
                read.append(file)
            elif found:
                tags[name] = found
        series = _with_epochs(series)
        config, last = self._beside(root, files, unreadable)
        stated = [file for file in files if file[-1] in (_PARAMS, _SUMMARY) and file not in read]
        if not series and not config and not last:
            return Reading(unreadable=tuple(unreadable)) if plots or unreadable else None
        run = LoggedRun(
            files=tuple(read + stated),
            series=series,
            config=config,
            last={name: value for name, value in last.items() if name not in series and name != "step"},
            tags=tags,
            notes=tuple(notes),
        )
        return Reading((run,), tuple(unreadable))

    def _beside(
        self, root: Path, files: Sequence[FilePath], unreadable: list[Told]
    ) -> tuple[dict[str, Any], dict[str, float]]:
        """Settings and last values of the two files beside the plots."""
        config: dict[str, Any] = {}
        last: dict[str, float] = {}
        for file in files:
            if _folder_of(file) is not None:
                continue
            try:
                if file[-1] == _PARAMS:
                    config = settings_of(root.joinpath(*file), "params")
                elif file[-1] == _SUMMARY:
                    last = _numbers_in(read_bytes(root.joinpath(*file), _MOST_SUMMARY_BYTES))
            except NotReadable as error:
                unreadable.append(Told(file, str(error)))
        return config, last


def _folder_of(path: FilePath) -> Folder | None:
    """The folder whose metric a file is; ``None`` for none."""
    if not path[-1].endswith(".tsv"):
        return None
    return next((path[:at] for at in range(len(path) - 2) if path[at : at + 2] == _PLOTS), None)


def _shown_beside(path: FilePath) -> Folder | None:
    """The folder that a file with another plot than a metric's is in; ``None`` for any other file."""
    if not path[-1].endswith(".json"):
        return None
    return next((path[:at] for at in range(len(path) - 2) if path[at : at + 2] in _OTHER_PLOTS), None)


def _curve(table: Table) -> Series | str | None:
    """The curve in a file, or of a text the last one; ``None`` where there is none yet."""
    step = table.numbers.get("step")
    if step is None or not is_count(step, np.zeros(table.rows, dtype=np.int64), True):
        return None
    name = table.names[-1]
    if name in table.words:
        return table.words[name].at(table.rows - 1)
    if name not in table.numbers or name == "step":
        return None
    clock = "timestamp" if "timestamp" in table.numbers and clock_of(table, "timestamp") is not None else None
    rows = np.flatnonzero(step.given)
    counted = np.where(step.given, step.values, 0.0).astype(np.int64)
    return series_of(table, Axes("step", "step", None, clock), rows, counted, {name: name}).get(name)


def _with_epochs(series: Mapping[str, Series]) -> dict[str, Series]:
    """The curves with the epochs that are logged as one of them, at the steps that have one."""
    epochs = series.get("epoch")
    if epochs is None:
        return dict(series)
    order = np.argsort(epochs.step, kind="stable")
    steps, values = epochs.step[order], epochs.value[order]
    found = {}
    for name, each in series.items():
        if name == "epoch":
            continue
        # Of several at one step the last holds.
        at = np.searchsorted(steps, each.step, side="right") - 1
        epoch = np.where((at >= 0) & (steps[at] == each.step), values[at], np.nan)
        found[name] = Series(each.step, each.value, epoch, each.at)
    return found


def _numbers_in(content: bytes) -> dict[str, float]:
    """The numbers of a summary, by their names joined with "/"; "inf" and "nan" are written as texts.

    Raises:
        NotReadable: If it is no JSON object.
    """
    try:
        stated = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NotReadable("Expected JSON, found another text or one that is not finished.") from error
    if not isinstance(stated, dict):
        raise NotReadable("Expected a JSON object.")
    found: dict[str, float] = {}
    waiting: list[tuple[str, dict[str, Any], int]] = [("", stated, 0)]
    while waiting:
        prefix, each, depth = waiting.pop()
        for name, value in each.items():
            if isinstance(value, dict) and depth < _MOST_DEPTH:
                waiting.append((f"{prefix}{name}/", value, depth + 1))
            elif isinstance(value, str | int | float) and not isinstance(value, bool):
                number = number_of(value) if isinstance(value, str) else _double(value)
                if number is not None:
                    found[prefix + name] = number
    return found


def _double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


FORMAT = DVCLive()
