"""Histories in JSON files: a Trainer's ``log_history`` by itself, and lists of values as Keras keeps them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lib.core.facts.runs import RunStatus
from lib.core.facts.values import finite, whole
from lib.data.formats.files import NotReadable, open_regular, read_bytes
from lib.data.formats.json_rows import ColumnsOfRows, starts
from lib.data.formats.json_shapes import lists_of_splits, of_lists, rows_by_key
from lib.data.formats.logged import FilePath, Folder, LoggedRun, Reading, Told, by_file

MAX_BYTES = 128 * 2**20
"""Read as objects, a file takes about ten times its size in memory."""
HEAD = 2**18

_METRIC = re.compile(
    rb'"[\w./ -]{0,60}(?:loss|acc|perplexity|learning_rate|reward|score|error|f1)[\w./ -]{0,60}"\s{0,9}:', re.I
)
_COUNTER = re.compile(
    rb'"(?:global_)?(?:step|epoch)s?"\s{0,9}:'
    rb"|:\s{0,20}\[\s{0,200}-?[\d.NI]"
    rb'|"[a-z]{0,12}[ _-]?\d{1,9}"\s{0,9}:\s{0,9}\{',
    re.I,
)
_NO_METRICS = frozenset({"step", "global_step", "epoch", "train_runtime", "total_flos", "timestamp", "_timestamp"})
STATE = "trainer_state.json"


class _Histories:
    title = "training history"
    reads = "JSON files with rows or lists of metrics"
    is_general = True

    def matches(self, path: FilePath) -> bool:
        return path[-1].lower().endswith(".json")

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        return by_file(files)

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        path = files[0]
        place = root.joinpath(*path)
        try:
            with open_regular(place, 2**62) as file:
                head = file.read(HEAD)
        except (NotReadable, OSError):
            return None
        begin = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        # The state of a Trainer has a reader of its own, but for a list of its rows by that name.
        if begin not in (b"[", b"{") or (begin == b"{" and path[-1] == STATE):
            return None
        if not _METRIC.search(head) or not (_COUNTER.search(head) or b'"log_history"' in head):
            return None
        try:
            content = json.loads(read_bytes(place, MAX_BYTES).decode("utf-8-sig", errors="replace"))
        except NotReadable as error:
            return Reading(unreadable=(Told(path, str(error)),))
        except (ValueError, RecursionError):
            if begin == b"[" or b'"log_history"' in head:
                return Reading(
                    unreadable=(Told(path, "Expected a history in JSON, found a mistake or a cut-off end."),)
                )
            return None
        runs = _runs(content, path)
        return Reading(runs) if runs else None


def _runs(content: Any, path: FilePath) -> tuple[LoggedRun, ...]:
    if isinstance(content, list):
        return _of_rows(content, {}, path)
    if not isinstance(content, dict):
        return ()
    if isinstance(rows := content.get("log_history"), list):
        return _of_rows(rows, content, path)
    for inner in (content, content.get("history")):
        if isinstance(inner, dict):
            if runs := of_lists(inner, path) or of_lists(lists_of_splits(inner), path):
                return runs
            inner = rows_by_key(inner)
        if isinstance(inner, list) and (runs := _of_rows(inner, content, path)):
            return runs
    return ()


def _of_rows(content: Sequence[Any], facts: Mapping[str, Any], path: FilePath) -> tuple[LoggedRun, ...]:
    """Runs of rows with a step, or an epoch, and metrics."""
    rows = [row for row in content if isinstance(row, dict)]
    if len(rows) * 2 < len(content):
        return ()
    made = ColumnsOfRows(flat=_NO_METRICS)
    made.add(rows)
    columns = made.finish()
    step, epoch = columns.steps("step"), columns.of("epoch")
    is_by_step = bool((step >= 0).any())
    if not is_by_step:
        step = columns.steps("global_step")
        is_by_step = bool((step >= 0).any())
    if not is_by_step:
        step = columns.steps("epoch")
    closing = np.array(["train_runtime" in row and "loss" not in row for row in rows], dtype=bool)
    notes = []
    if missing := int((step < 0).sum() - (closing & (step < 0)).sum()):
        notes.append(f"Rows that state no {'step' if is_by_step else 'epoch'} were left out: {missing:,}.")
    found = []
    trainings = starts(np.where(closing, -1, step))
    for index, places in enumerate(trainings, 1):
        ends = places[closing[places]]
        mine = np.zeros(len(rows), dtype=bool)
        mine[places] = (step[places] >= 0) & ~closing[places]
        last: dict[str, float] = {}
        if len(ends):
            # What follows the summary measures the model that is held at the end, of whatever step.
            after = places[places > ends[-1]]
            mine[after] = False
            for place in (*ends, *after):
                last |= {key: value for key, each in rows[place].items() if (value := finite(each)) is not None}
            for counter in ("step", "epoch", "global_step"):
                last.pop(counter, None)
        series = columns.series(mine, step, epoch=epoch if is_by_step else None, at=None, without=_NO_METRICS)
        if not series or len(np.unique(step[mine])) < 2:
            continue
        planned, epochs = whole(facts.get("max_steps")), finite(facts.get("num_train_epochs"))
        more = [f"The file holds {len(trainings):,} trainings; this is number {index:,}."] if len(trainings) > 1 else []
        found.append(
            LoggedRun(
                files=(path,),
                key="" if index == 1 else str(index),
                series=series,
                counted="step" if is_by_step else "epoch",
                last=last,
                status=RunStatus.COMPLETED if len(ends) else RunStatus.UNKNOWN,
                said="train_runtime is stated" if len(ends) else None,
                total_steps=planned if planned and planned > 0 else None,
                total_epochs=epochs if epochs and 0 < epochs <= 10**6 else None,
                notes=(*notes, *more),
            )
        )
    return tuple(found)


FORMAT = _Histories()
