"""What MLflow's stores share: how a run, its parameters and its metrics are meant, wherever they were kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lib.core.facts.runs import RunStatus, normalise_status
from lib.core.facts.values import finite
from lib.data.formats.logged import FilePath, LoggedRun, Series
from lib.data.formats.stores.points import Points, steps_by_time
from lib.data.formats.stores.text_values import value_of

RUN_NAME, PARENT, NOTE = "mlflow.runName", "mlflow.parentRunId", "mlflow.note.content"
SYSTEM_TAGS = "mlflow."
SYSTEM_METRICS = "system/"
"""Use of processor and memory, which MLflow samples by the clock: their steps count samples, not steps of training."""

LARGEST = 1.79e308
"""Databases hold no infinity: MLflow writes the largest double in its place, 1.7976931348623157e308."""

# Numbers of the file store, from MLflow's protocol buffers.
_STATUS_NUMBERS = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What MLflow keeps of a run besides its metrics; times are Unix milliseconds."""

    run_id: str
    name: str = ""
    experiment: str = ""
    status: str | int | None = None
    start_time: float | None = None
    end_time: float | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def logged_run(
    stated: Stated, metrics: Mapping[str, Points], files: Sequence[FilePath], notes: Sequence[str] = ()
) -> LoggedRun:
    """A run of MLflow's as a logged run.

    Args:
        stated: What is known of it.
        metrics: Its metrics by key, with non-finite values as such.
        files: What it was read from.
        notes: What the store's reader has to say.
    """
    status, said = status_of(stated.status)
    series, last, remarks = _placed({key: points for key, points in metrics.items() if len(points)})
    tags = {key: value for key, value in stated.tags.items() if not key.startswith(SYSTEM_TAGS) and value}
    if stated.experiment:
        tags.setdefault("experiment", stated.experiment)
    if stated.tags.get(NOTE):
        tags.setdefault("note", stated.tags[NOTE])
    return LoggedRun(
        files=tuple(files),
        series=series,
        key=stated.run_id,
        name=stated.tags.get(RUN_NAME) or stated.name,
        identity=stated.run_id,
        parent=stated.tags.get(PARENT, ""),
        config={"params": {key: value_of(text, key) for key, text in stated.params.items()}} if stated.params else {},
        last=last,
        status=status,
        said=said,
        started=_seconds(stated.start_time),
        ended=_seconds(stated.end_time),
        tags=tags,
        notes=(*notes, *remarks),
    )


def status_of(said: str | int | None) -> tuple[RunStatus, str | None]:
    """A status, and MLflow's own word for it; it may be one of the file store's numbers.

    Example:
        >>> status_of(5), status_of("FINISHED")[0].value, status_of(None)[0].value
        ((<RunStatus.CANCELLED: 'cancelled'>, 'KILLED'), 'completed', 'unknown')
    """
    if isinstance(said, str) and said.isdecimal() and len(said) < 3:
        said = int(said)
    word = _STATUS_NUMBERS.get(said) if isinstance(said, int) else said
    return (normalise_status(word), word) if word else (RunStatus.UNKNOWN, None)


def with_infinities(value: np.ndarray) -> np.ndarray:
    """Values as they were logged, of values from a database or a server, shape (n,)."""
    return np.where(np.abs(value) >= LARGEST, np.copysign(np.inf, value), value)


def _seconds(milliseconds: float | None) -> float | None:
    number = finite(milliseconds)
    # 0 and below is no time at which somebody trained.
    return number / 1000 if number is not None and 0 < number < 1e14 else None


def _ordered(points: Points, step: np.ndarray | None = None) -> Series:
    """By step, of one step by time, and of one moment as they were written."""
    steps = points.step if step is None else step
    order = np.lexsort((points.at, steps))
    if (np.diff(order) == 1).all():
        return Series(steps, points.value, at=points.at)
    return Series(steps[order], points.value[order], at=points.at[order])


def _final(points: Points) -> float:
    return float(points.value[np.lexsort((points.at,))[-1]])


def _placed(metrics: Mapping[str, Points]) -> tuple[dict[str, Series], dict[str, float], list[str]]:
    """Series, closing values and remarks of a run's metrics.

    MLflow writes step 0 where none was given, so that step 0 alone may mean an evaluation before training, a result
    at its end, or a loop whose author gave no steps: number and time of the values tell them apart.
    """
    system = {key: points for key, points in metrics.items() if key.startswith(SYSTEM_METRICS)}
    own = {key: points for key, points in metrics.items() if key not in system}
    remarks: list[str] = []
    longest = max(map(len, own.values()), default=0)
    if longest == 1 and not any(points.step.any() for points in own.values()):
        remarks.append("Every metric was logged once and without a step: they are results.")
        counted = own
        last = {key: _final(points) for key, points in own.items()}
    else:
        counted = {key: points for key, points in own.items() if points.step.any()}
        if own and not counted:
            counted = {key: _counted(points) for key, points in own.items() if len(points) == longest}
            remarks.append(
                "No steps were logged: values are counted in the order in which they were logged "
                f"({longest:,} of {_named(list(counted))})."
            )
        last = {}
    series = {key: _ordered(points) for key, points in counted.items()}
    known = [(points.step, points.at) for points in counted.values()]
    _place_unstepped({key: points for key, points in own.items() if key not in counted}, known, series, last, remarks)
    for key, points in system.items():
        series[key] = _ordered(points, steps_by_time(points.at, known))
    if system and known:
        remarks.append("System metrics count their own samples; they are placed by the time of logging.")
    return {key: series[key] for key in metrics if key in series}, last, remarks


def _place_unstepped(
    unstepped: Mapping[str, Points],
    known: Sequence[tuple[np.ndarray, np.ndarray]],
    series: dict[str, Series],
    last: dict[str, float],
    remarks: list[str],
) -> None:
    """Put metrics that stand at step 0 alone, in a run whose other metrics have steps, where they belong."""
    began = min((float(at[step > 0].min()) for step, at in known if step.any()), default=np.inf)
    results, by_time = [], []
    for key, points in unstepped.items():
        if points.at.max() < began:
            series[key] = _ordered(points)
        elif len(points) == 1:
            last[key] = _final(points)
            results.append(key)
        else:
            series[key] = _ordered(points, steps_by_time(points.at, known))
            by_time.append(key)
    if results:
        remarks.append(f"One value without a step, logged after training had begun, is a result: {_named(results)}.")
    if by_time:
        remarks.append(f"Logged without steps, and placed by the time of logging: {_named(by_time)}.")


def _counted(points: Points) -> Points:
    """The same points by time, counted from 0."""
    order = np.lexsort((points.at,))
    return Points(np.arange(len(points), dtype=np.int64), points.at[order], points.value[order])


def _named(keys: list[str]) -> str:
    """Some names, for people."""
    return ", ".join(keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")
