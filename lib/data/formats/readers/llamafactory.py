"""LLaMA-Factory: ``trainer_log.jsonl``, with the results and arguments that lie around it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lib.core.facts.runs import RunStatus
from lib.core.facts.values import finite
from lib.data.formats.cell_texts import groups_in, numbers_of_texts
from lib.data.formats.files import NotReadable, read_bytes
from lib.data.formats.json_columns import Cells, Lines, NamedColumns, lines_of
from lib.data.formats.json_rows import starts
from lib.data.formats.logged import FilePath, Folder, LoggedRun, Reading, Told, by_folder
from lib.data.formats.text.lines import seconds

LOG = "trainer_log.jsonl"
RESULTS = ("train_results.json", "eval_results.json", "all_results.json")
"""The later holds."""
MAX_BYTES = 256 * 2**20
MAX_SIDE_BYTES = 4 * 2**20
"""Results and arguments have kilobytes."""

_OTHERS = frozenset({"hparams", "meta", "args", "config", "mkdocs", "dvc", "conda", "environment"})
"""YAML files of these names are of other programs."""
_COUNTERS = frozenset({"current_steps", "total_steps", "percentage", "epoch"})
_TEXTS = frozenset({"elapsed_time", "remaining_time"})
_NO_METRICS = _COUNTERS | _TEXTS
_CLOCK_GROUPS = r"(?:(?P<d>\d{1,9}) days?, )?(?P<h>\d{1,9}):(?P<m>\d{1,9}):(?P<s>\d{1,9})"
"""As most times are written: what is written otherwise is looked at by itself."""
_ARGUMENTS = ("stage", "finetuning_type", "output_dir", "learning_rate", "model_name_or_path")
"""Two of these are in any arguments of a training."""


class _LlamaFactory:
    title = "LLaMA-Factory"
    reads = "trainer_log.jsonl"
    is_general = False

    def matches(self, path: FilePath) -> bool:
        name = path[-1].lower()
        stem, _, kind = name.rpartition(".")
        return name == LOG or name in RESULTS or (kind in ("yaml", "yml") and stem not in _OTHERS)

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        """A folder with a log, with the results and arguments in it, and the results in its folder ``eval``."""
        found = {folder: mine for folder, mine in by_folder(files).items() if any(path[-1] == LOG for path in mine)}
        for path in files:
            if len(path) > 1 and path[-2] == "eval" and path[-1] in RESULTS and path[:-1] not in found:
                found.get(path[:-2], []).append(path)
        return found

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        logs = [path for path in files if path[-1] == LOG]
        if not logs:
            return None
        unreadable: list[Told] = []
        try:
            logged = _Logged(read_bytes(root.joinpath(*logs[0]), MAX_BYTES))
        except NotReadable as error:
            return Reading(unreadable=(Told(logs[0], str(error)),))
        if not logged.has_steps:
            if logged.columns.rows or logged.wrong:
                return Reading(unreadable=(Told(logs[0], "Expected rows with current_steps, found none."),))
            return Reading(unused=(Told(logs[0], "The log is empty."),))
        results, config = _beside(root, folder, files, unreadable)
        notes = [f"Lines that are no JSON objects were left out: {logged.wrong:,}."] if logged.wrong else []
        used = (
            logs[0],
            *(path for path in files if path != logs[0] and path not in {each.path for each in unreadable}),
        )
        return Reading(_runs(logged, used, results, config, notes), tuple(unreadable))


class _Logged:
    """What the lines of a log say.

    Attributes:
        columns: Their numbers.
        at: The seconds that each says to have passed, NaN where it does not; shape (rows,).
        counts: Whether each has counters and nothing else; shape (rows,).
        has_steps: Whether one of them counts as LLaMA-Factory does.
        wrong: How many lines are none.
    """

    def __init__(self, content: bytes) -> None:
        self.columns, self.has_steps, self.wrong = NamedColumns(), False, 0
        self._at: list[np.ndarray] = []
        self._counts: list[np.ndarray] = []
        # A metric of null is named, and no cell.
        for lines in lines_of(content, as_objects=(b"null",)):
            if lines.cells is not None:
                self._take(lines, lines.cells)
                continue
            rows, wrong = lines.objects()
            self.wrong += wrong
            self.has_steps = self.has_steps or any("current_steps" in row for row in rows)
            texts = (row.get("elapsed_time") for row in rows)
            self._at.append(np.array([seconds(each) if isinstance(each, str) else np.nan for each in texts]))
            self._counts.append(np.array([row.keys() <= _NO_METRICS for row in rows], dtype=bool))
            self.columns.add_rows([{key: value for key, value in row.items() if key not in _TEXTS} for row in rows])
        self.at = np.concatenate([np.empty(0), *self._at])
        self.counts = np.concatenate([np.empty(0, dtype=bool), *self._counts])

    def _take(self, lines: Lines, cells: Mapping[str, Cells]) -> None:
        self.has_steps = self.has_steps or "current_steps" in cells
        at, counts = np.full(lines.count, np.nan), np.ones(lines.count, dtype=bool)
        plain: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for name, each in cells.items():
            if name == "elapsed_time" and each.numbers is None:
                at[each.rows] = _seconds_of(each.texts)
            if name not in _NO_METRICS:
                counts[each.rows] = False
            if name in _TEXTS:
                continue
            if each.numbers is not None:
                plain[name] = each.rows, each.numbers
            else:
                values, given = numbers_of_texts(each.texts)
                plain[name] = each.rows[given], values[given]
        self._at.append(at)
        self._counts.append(counts)
        self.columns.add_cells(plain, lines.count)


def _seconds_of(texts: Any) -> np.ndarray:
    parts = groups_in(texts, _CLOCK_GROUPS)
    if parts is None:
        return numbers_of_texts(texts, seconds)[0]
    return np.asarray((parts["h"] * 60 + parts["m"]) * 60 + parts["s"] + 86_400 * parts["d"])


def _runs(
    logged: _Logged,
    files: tuple[FilePath, ...],
    results: Mapping[str, float],
    config: Mapping[str, Any],
    notes: Sequence[str],
) -> tuple[LoggedRun, ...]:
    columns, at = logged.columns, logged.at
    step, total, epoch = columns.steps("current_steps"), columns.steps("total_steps"), columns.of("epoch")
    found: list[LoggedRun] = []
    trainings = starts(step)
    for number, places in enumerate(trainings, 1):
        mine = np.zeros(columns.rows, dtype=bool)
        mine[places] = step[places] >= 0
        times, said = _one_clock(at, places), list(notes)
        if len(trainings) > 1:
            said.append(f"The log holds {len(trainings):,} trainings, one after the other; this is number {number:,}.")
        planned = int(total[places].max())
        is_end = planned > 0 and step[places[-1]] == planned and bool(logged.counts[places[-1]])
        is_last = number == len(trainings)
        found.append(
            LoggedRun(
                files=files,
                key="" if number == 1 else str(number),
                series=columns.series(mine, step, epoch=epoch, at=times, without=_COUNTERS),
                config=config,
                last=results if is_last else {},
                status=RunStatus.COMPLETED if is_end else RunStatus.UNKNOWN,
                said=f"{planned:,} of {planned:,} steps" if is_end else None,
                total_steps=planned if planned > 0 else None,
                notes=tuple(said),
            )
        )
    return tuple(found)


def _one_clock(at: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Times that go on where a resumed training began its own count again; one for each row."""
    times = at.copy()
    known = places[np.isfinite(at[places])]
    if len(known) > 1:
        falls = np.diff(at[known]) < 0
        times[known] += np.concatenate([[0.0], np.cumsum(np.where(falls, at[known][:-1], 0.0))])
    return times


def _beside(
    root: Path, folder: Folder, files: Sequence[FilePath], unreadable: list[Told]
) -> tuple[dict[str, float], dict[str, Any]]:
    """The results and the arguments that lie beside a log."""
    results: dict[str, float] = {}
    config: dict[str, Any] = {}
    ranked = sorted(files, key=lambda path: (RESULTS.index(path[-1]) if path[-1] in RESULTS else -1, -len(path), path))
    for path in ranked:
        if path[-1] == LOG:
            continue
        try:
            content = _content(root.joinpath(*path))
        except NotReadable as error:
            unreadable.append(Told(path, str(error)))
            continue
        if not isinstance(content, dict):
            continue
        if path[-1] in RESULTS:
            stated = {str(key): value for key, each in content.items() if (value := finite(each)) is not None}
            # The folder of evaluations was written after the training, and states its epoch too.
            is_eval = len(path) > len(folder) + 1
            results |= {key: value for key, value in stated.items() if not is_eval or key not in results}
        elif sum(name in content for name in _ARGUMENTS) > 1:
            config[path[-1].rpartition(".")[0]] = content
    return results, config


def _content(path: Path) -> Any:
    data = read_bytes(path, MAX_SIDE_BYTES)
    if path.suffix == ".json":
        try:
            return json.loads(data.decode("utf-8-sig", errors="replace"))
        except (ValueError, RecursionError) as error:
            raise NotReadable("Expected JSON, found a mistake.") from error
    from lib.data.formats.safe_yaml import load_yaml

    return load_yaml(data)


FORMAT = _LlamaFactory()
