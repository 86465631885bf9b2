"""The curves of one form: what was logged, by our names and by the steps that count."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from lib.core.curves.metric_curves import MetricCurve, RunCurves, complete_curve, last_written
from lib.core.curves.row_facts import UNKNOWN_US, RowFacts, row_facts
from lib.core.facts.foreign import isolated
from lib.core.facts.metrics import METRICS, metric_of
from lib.core.facts.runs import ReadAs
from lib.data.formats.forms.axes import MAX_STEP, Counted, Once, all_steps, counted
from lib.data.formats.forms.places import is_of_evaluation
from lib.data.formats.logged import LoggedRun, Series
from lib.data.formats.metric_names import Chosen, left_out_note, most_telling, read_names
from lib.data.formats.metric_words import words_of

_CLOSING = (
    "train_runtime", "train_loss", "train_samples_per_second", "train_steps_per_second", "train_tokens_per_second",
    "total_flos",
)  # fmt: skip
_RESTARTS = 50
"""Such a row is written at each end: more of them are a metric that is called so."""
FROM_0 = "The log counts epochs from 0; here a step is the number of epochs done."
_ENDED_NOTE = "Results without a step stand at the end: at step 0 they would be those of the model before training."
_UNIX_FROM, _UNIX_TO = 1e9, 1e11
"""Clocks between these count seconds since 1970."""


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """What was made of the series of a form.

    Attributes:
        curves: Under our names.
        read_as: What was called otherwise.
        in_epochs: Steps are epochs done.
        closing: The numbers of a Trainer's closing row, which are of the whole training and no points of curves.
        began, ended: The first and the last moment on the log's clock, in Unix seconds; ``None`` where it has none.
        notes: Sentences on how that was read.
    """

    curves: RunCurves
    read_as: tuple[ReadAs, ...] = ()
    in_epochs: bool = False
    closing: Mapping[str, float] = field(default_factory=dict)
    began: float | None = None
    ended: float | None = None
    notes: tuple[str, ...] = ()


def gathered(run_id: str, logged: LoggedRun) -> Gathered:
    """Make curves of the series of a log."""
    placed = {name: there for name, each in logged.series.items() if (there := _placed(each)) and name[:1] != "_"}
    closing = closing_of({name: float(each.value[-1]) for name, each in placed.items() if len(each.step) <= _RESTARTS})
    if closing:
        ends = int(placed["train/train_runtime"].step.max())
        placed = {name: each for name, each in placed.items() if name.removeprefix("train/") not in closing}
        # After the row a resumed training goes on.
        closing = closing if all(int(each.step.max()) <= ends for each in placed.values()) else {}
    if not placed:
        return Gathered(RunCurves(run_id), closing=closing)
    of_evaluation = is_of_evaluation(logged.files, logged.series)
    in_epochs = logged.counted == "epoch"
    first = _chosen(placed, of_evaluation=of_evaluation)
    train = next((name for name, each in first.items() if each.metric == "train_loss"), None)
    count = counted(placed, in_epochs=in_epochs, train=train)
    series, notes = _ended(count.series, logged), _notes(count)
    if series is not count.series:
        notes.append(_ENDED_NOTE)
    if not series:
        return Gathered(RunCurves(run_id), in_epochs=in_epochs, closing=closing)
    names = _chosen(series, of_evaluation=of_evaluation) if series.keys() != first.keys() or count.counter else first
    kept = most_telling(
        {name: len(each.step) for name, each in series.items()}, {name: names[name].metric for name in series}
    )
    if left_out := [name for name in series if name not in kept]:
        notes.append(left_out_note(len(series), left_out))
    once = Once()
    series = {name: _timed(each, once) for name, each in series.items() if name in kept}
    clocks = {id(at): at for each in series.values() if (at := each.at) is not None}.values()
    first_at = min((float(np.nanmin(at)) for at in clocks), default=None)

    def since(at: np.ndarray) -> np.ndarray:
        return at - (first_at or 0.0)

    made = {names[name].metric: _curve(each, since, once) for name, each in series.items()}
    unix = first_at is not None and _UNIX_FROM < first_at < _UNIX_TO
    rows = _rows(series, names, once, is_unix=unix)
    curves = RunCurves(run_id, MappingProxyType(dict(sorted(made.items()))), rows=rows)
    return Gathered(
        curves,
        _read_as(names, kept),
        in_epochs,
        closing,
        first_at if unix else None,
        max(float(np.nanmax(at)) for at in clocks) if unix else None,
        tuple(notes),
    )


def closing_of(values: Mapping[str, float]) -> dict[str, float]:
    """The numbers that a Trainer logs when it returns, by the names that it gave them; none where it has not."""
    if "train/train_runtime" not in values:
        return {}
    plain = {name.removeprefix("train/"): value for name, value in values.items()}
    return {name: plain[name] for name in _CLOSING if name in plain}


def read_as_note(read_as: Collection[ReadAs]) -> tuple[str, ...]:
    """A sentence on the names that were guessed; none where all are sure."""
    told = [f'"{isolated(each.name)}" as {metric_of(each.metric).title.lower()}' for each in read_as if each.guessed]
    return (f"By their names these were read as ours, which may be wrong: {', '.join(told)}.",) if told else ()


def _placed(series: Series) -> Series | None:
    """The points that have a place in a curve; ``None`` for none."""
    here = (series.step >= 0) & (series.step < MAX_STEP)
    if not here.any():
        return None
    if here.all():
        return series
    epoch, at = (None if column is None else column[here] for column in (series.epoch, series.at))
    return Series(series.step[here], series.value[here], epoch, at)


def _chosen(series: Mapping[str, Series], *, of_evaluation: bool) -> dict[str, Chosen]:
    names = read_names({name: each.step for name, each in series.items()}, of_evaluation=of_evaluation)
    ours = {each.metric: name for name, each in names.items() if each.metric in METRICS}
    train, evaluated = ours.get("train_loss"), ours.get("eval_loss")
    if train is None or evaluated is None or _is_said(train) or not _is_one(series[train], series[evaluated]):
        return names
    # "loss" beside "val/loss" with the same values: the checkpoint's own number, not the train loss.
    others = read_names(
        {name: each.step for name, each in series.items() if name != train}, of_evaluation=of_evaluation
    )
    return {name: others.get(name, Chosen(name)) for name in series}


def _is_said(name: str) -> bool:
    return "train" in words_of(name) or "training" in words_of(name)


def _is_one(one: Series, other: Series) -> bool:
    return np.array_equal(one.step, other.step) and np.array_equal(one.value, other.value, equal_nan=True)


def _ended(series: Mapping[str, Series], logged: LoggedRun) -> Mapping[str, Series]:
    """Results that were logged with no step: they stand at step 0, as the base model's would, and are of the end."""
    is_result = all(len(each.step) == 1 and not each.step[0] and name in logged.last for name, each in series.items())
    if not is_result:
        return series
    end = np.array([max(logged.total_steps or 1, 1)], dtype=np.int64)
    return {name: replace(each, step=end) for name, each in series.items()}


def _notes(count: Counted) -> list[str]:
    notes = []
    if count.counter:
        notes.append(f'Steps are those of "{isolated(count.counter)}": the log itself numbers its rows.')
    if count.shifted:
        notes.append(FROM_0)
    elif count.in_epochs:
        notes.append("The log counts epochs: a step is an epoch.")
    return notes


def _timed(series: Series, once: Once) -> Series:
    """A series with its clock in seconds, NaN where not known; ``None`` for a clock that is not known anywhere."""
    return series if series.at is None else replace(series, at=once.of(_clock, series.at))


def _clock(at: np.ndarray) -> np.ndarray | None:
    with np.errstate(invalid="ignore"):
        # Larger numbers are no clock.
        known = np.abs(at) < _UNIX_TO
    if not known.any():
        return None
    return at.astype(np.float64, copy=False) if known.all() else np.where(known, at, np.nan)


def _curve(series: Series, since: Callable[[np.ndarray], np.ndarray], once: Once) -> MetricCurve:
    """The points of a series, one a step; steps, epochs and times are one array for all metrics that share them.

    Args:
        series: The series.
        since: How much of a clock's time has passed at each moment.
        once: Of the run.
    """
    step, value = series.step.astype(np.int64, copy=False), series.value.astype(np.float64, copy=False)
    epoch = once.of(_blank, step) if series.epoch is None else series.epoch.astype(np.float64, copy=False)
    elapsed = once.of(_blank, step) if series.at is None else once.of(since, series.at)
    last = once.of(last_written, step)
    if last is None:
        return complete_curve(step, value, epoch, elapsed)
    return complete_curve(
        once.of(_taken, step, last), value[last], once.of(_taken, epoch, last), once.of(_taken, elapsed, last)
    )


def _blank(step: np.ndarray) -> np.ndarray:
    # One number, however often it stands there.
    return np.broadcast_to(np.nan, len(step))


def _taken(column: np.ndarray, places: np.ndarray) -> np.ndarray:
    return np.asarray(column[places])


def _rows(series: Mapping[str, Series], names: Mapping[str, Chosen], once: Once, *, is_unix: bool) -> RowFacts:
    """What is noticed of the values as they were written, each metric by itself: how they share rows is not known."""
    written = {names[name].metric: once.of(_written, each.step) for name, each in series.items()}
    back = [each for each in written.values() if each.backwards]
    again = {metric: each for metric, each in written.items() if each.rewritten}
    found = RowFacts(
        received=len(all_steps(series.values())),
        rewritten=sum(each.rewritten for each in again.values()),
        rewritten_step=min(
            (each.rewritten_step for each in again.values() if each.rewritten_step is not None), default=None
        ),
        rewritten_metrics=tuple(sorted(again)),
        backwards=max((each.backwards for each in back), default=0),
        backwards_step=back[0].backwards_step if back else None,
    )
    timed = [each for each in series.values() if each.at is not None] if is_unix else []
    if not timed:
        return found
    longest = max(timed, key=lambda each: len(each.step))
    clock = row_facts(longest.step, _microseconds(longest), {})
    clocks = {id(at): at for each in timed if (at := each.at) is not None}.values()
    return replace(
        found,
        timed=clock.timed,
        clock_backwards=clock.clock_backwards,
        clock_step=clock.clock_step,
        clock_back_s=clock.clock_back_s,
        first_written_us=min(int(np.nanmin(at) * 1e6) for at in clocks),
        last_written_us=max(int(np.nanmax(at) * 1e6) for at in clocks),
    )


def _written(step: np.ndarray) -> RowFacts:
    """What is noticed of one metric's steps, in the order of writing."""
    return row_facts(step, None, {"": None})


def _microseconds(series: Series) -> np.ndarray:
    at = series.at if series.at is not None else _blank(series.step)
    known = np.isfinite(at)
    return np.where(known, np.where(known, at, 0.0) * 1e6, UNKNOWN_US).astype(np.int64)


def _read_as(names: Mapping[str, Chosen], kept: Collection[str]) -> tuple[ReadAs, ...]:
    return tuple(
        ReadAs(name, names[name].metric, names[name].guessed)
        for name in sorted(kept)
        if names[name].metric != name or names[name].guessed
    )
