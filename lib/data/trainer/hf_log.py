"""Reading the log that the Hugging Face ``Trainer`` keeps in ``trainer_state.json``.

How its names become the app's:

* The catalogue says what the ``Trainer`` calls a metric (``Metric.hf_keys``): ``loss`` is ``train_loss``. Every other
  number keeps its name, those that time an evaluation (``eval_runtime``...) too. Nested numbers are joined with a
  slash: ``eval_f1-score/Achievement``.
* The row that ``train()`` writes when it returns (``train_runtime`` and a ``train_loss`` that is the
  *mean* over all steps) is a summary, not a point of any curve.
* What follows that row, unless training goes on, measures the model that the ``Trainer`` holds at the end, which may be
  the reloaded best one: those values are of no step, and no points either.
* Text that is a number is read as that number, NaN and infinities included; null is no value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.core.facts.values import whole
from lib.data.formats.json_history import History
from lib.data.formats.json_rows import MAX_STEP
from lib.data.trainer.hf_rows import Logged, LoggedRows
from lib.data.trainer.log_points import Points
from lib.data.trainer.training_files import JsonFile, Unread, parse_json, read_data

TRAINER_STATE = "trainer_state.json"


@dataclass(frozen=True, slots=True)
class TrainerLog:
    """One ``trainer_state.json``.

    Attributes:
        state: Its facts besides the history.
        points: The logged numbers, in the order in which they were written.
        summary: The numbers of the closing summary; ``train_runtime`` is the sum over all of them.
        closing: The values that were measured after the last closing summary, by metric.
        closed_at: The step of the last closing summary; -1 without one.
        stopped_early: Its callbacks say that training was stopped before its planned end.
        rows: How many rows gave points.
        started, ended: First and last timestamp, in Unix seconds; NaN where not logged.
        digest: Equal for files of equal bytes.
        notes: Sentences on what of the history could not be read.
    """

    state: Mapping[str, Any]
    points: Points
    summary: Mapping[str, float]
    closing: Mapping[str, float]
    closed_at: int
    stopped_early: bool
    rows: int
    started: float
    ended: float
    digest: str
    notes: tuple[str, ...]

    def opening(self, count: int) -> str:
        """How the log begins: equal for logs whose first ``count`` values are."""
        return self.points.opening(count)

    @property
    def planned(self) -> int | None:
        """How many steps the training was to make."""
        steps = whole(self.state.get("max_steps"))
        return steps if steps and steps > 0 else None

    @property
    def last_step(self) -> int | None:
        """The step that training had reached: ``global_step``, else the last step logged."""
        step = whole(self.state.get("global_step"))
        return (
            step
            if step is not None and 0 <= step < MAX_STEP
            else int(self.points.step.max())
            if len(self.points)
            else None
        )


def read_trainer_log(path: Path) -> TrainerLog | Unread:
    """Read one ``trainer_state.json``, or say why it cannot be read; never raises for its content."""
    return read_trainer_logs([path])[0]


def read_trainer_logs(paths: Sequence[Path]) -> list[TrainerLog | Unread]:
    """As ``read_trainer_log``, of several files: of short ones that takes half as long. They are in memory together."""
    found = [_content_of(path) for path in paths]
    logs = iter(logs_of([each for each in found if isinstance(each, JsonFile)]))
    return [next(logs) if isinstance(each, JsonFile) else each for each in found]


def logs_of(states: Sequence[JsonFile]) -> list[TrainerLog]:
    """The logs of what states say, whatever that is."""
    histories = [each.content.get("log_history") for each in states]
    logged = LoggedRows.of_all([each if isinstance(each, list) else [] for each in histories])
    return [_log_of(*each) for each in zip(states, histories, logged, strict=True)]


def _content_of(path: Path) -> TrainerLog | Unread | JsonFile:
    """The object in a file; the log that it is, where it was read in parts."""
    data = read_data(path)
    if isinstance(data, Unread):
        return data
    if (parts := _in_parts(data)) is not None:
        rows, content = parts
        digest = hashlib.sha256(data).hexdigest()
        # From here on the text is in the way of its numbers.
        del data
        return _log(_facts_of(content), rows.finish(), digest, stopped_early=_stopped_early(content))
    read = parse_json(data)
    if isinstance(read, JsonFile) and read.content.get("log_history") is None and "global_step" not in read.content:
        return Unread("It is not the state of a Trainer: it has neither log_history nor global_step.")
    return read


def _log_of(state: JsonFile, history: Any, rows: Logged) -> TrainerLog:
    is_odd = history is not None and not isinstance(history, list)
    notes = ("log_history is not a list, so no metric could be read.",) if is_odd else ()
    content = state.content
    return _log(_facts_of(content), rows, state.digest, stopped_early=_stopped_early(content), notes=notes)


def _in_parts(data: bytes) -> tuple[LoggedRows, dict[str, Any]] | None:
    """The rows of a log that is long enough to be read in parts, and the rest of it: never all of it as objects."""
    history, rows = History(data, "log_history"), LoggedRows()
    try:
        for part in history.parts():
            rows.add(part)
    except (ValueError, RecursionError, MemoryError):
        return None
    return rows, history.rest


def _facts_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a state says besides its history."""
    state = {key: value for key, value in content.items() if not isinstance(value, dict | list)}
    trial = content.get("trial_params")
    if isinstance(trial, dict):
        state["trial_params"] = {k: v for k, v in trial.items() if not isinstance(v, dict | list)}
    return state


def _stopped_early(content: Mapping[str, Any]) -> bool:
    """Whether the state was saved when its callbacks had stopped training before the planned end.

    ``TrainerControl.should_training_stop`` is set at the regular end too. Where it is recorded and false, a counter
    that is above the patience is left over: a training that was continued without early stopping carries it along.
    """
    step, planned = whole(content.get("global_step")), whole(content.get("max_steps"))
    callbacks = content.get("stateful_callbacks")
    if not isinstance(callbacks, dict) or step is None or (planned is not None and 0 < planned <= step):
        return False
    stops = [_whole_in(each, "args", "should_training_stop") for each in _states(callbacks, "TrainerControl")]
    if any(stop is not None for stop in stops):
        return any(stops)
    for each in _states(callbacks, "EarlyStoppingCallback"):
        patience = _whole_in(each, "args", "early_stopping_patience")
        counter = _whole_in(each, "attributes", "early_stopping_patience_counter")
        if patience is not None and counter is not None and counter >= max(patience, 1):
            return True
    return False


def _states(callbacks: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The states of the callbacks of a class: several of one class are a list."""
    found = callbacks.get(name)
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, dict)]


def _whole_in(state: Mapping[str, Any], part: str, name: str) -> int | None:
    inner = state.get(part)
    value = inner.get(name) if isinstance(inner, dict) else None
    return int(value) if isinstance(value, bool) else whole(value)


def _log(
    state: Mapping[str, Any], rows: Logged, digest: str, *, stopped_early: bool, notes: tuple[str, ...] = ()
) -> TrainerLog:
    return TrainerLog(
        state=state,
        points=rows.points,
        summary=rows.summary,
        closing=rows.closing,
        closed_at=rows.closed_at,
        stopped_early=stopped_early,
        rows=rows.rows,
        started=rows.started,
        ended=rows.ended,
        digest=digest,
        notes=(*notes, *rows.notes),
    )
