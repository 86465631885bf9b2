"""A run as the server answers it: what it states, where each of its metrics stands, and its summary in the list."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lib.core.facts.metrics import METRICS
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.facts.values import finite, number
from lib.data.formats.assembly import Form, form_of
from lib.data.formats.logged import LoggedRun
from lib.data.formats.metric_names import read_names
from lib.data.formats.metric_words import words_of
from lib.data.formats.stores.mlflow import PARENT, SYSTEM_METRICS, Stated, logged_run, with_infinities
from lib.data.formats.stores.points import Points, usable

TITLE = "MLflow"
MOST_FACTS = 20_000
"""Parameters, tags, and metrics of one run; more come of names that are made of values."""
NEARLY_DONE = 0.02
"""The last value may be logged so little before the last step, as a share of all, where nobody says how often."""

_COUNTING = {
    (word,) for word in ("step", "steps", "epoch", "epochs", "iter", "iteration", "iterations", "update", "updates")
}
"""Last words of the names of what counts steps."""

Latest = Mapping[str, tuple[int, float, float]]
"""By metric: step, Unix milliseconds and value of the latest value."""


@dataclass(frozen=True, slots=True)
class Found:
    """A run that the server has.

    Attributes:
        experiment_id: Of the experiment that it belongs to.
        deleted: It is in the server's trash.
        stated: What is known of it besides its metrics.
        marks: By metric, what stands for all of its values that the server tells with the run: another text for
            another latest value.
        latest: Where each metric stands.
        version: Another one whenever anything of this changes.
    """

    experiment_id: str
    deleted: bool
    stated: Stated
    marks: Mapping[str, str]
    latest: Latest
    version: str

    @property
    def run_id(self) -> str:
        return self.stated.run_id

    @property
    def parent(self) -> str:
        """The id of the run that it is inside of; "" where it is in none."""
        return self.stated.tags.get(PARENT, "")

    def inside(self, outer: Sequence[Found]) -> Found:
        """The same with the parameters of runs that it is inside of, the innermost first, but for those of its own."""
        params = dict(self.stated.params)
        for each in outer:
            params = {**each.stated.params, **params}
        if len(params) == len(self.stated.params):
            return self
        version = _digest((self.version, sorted(params.items())))
        return replace(self, stated=replace(self.stated, params=params), version=version)


def found_run(answer: Any, experiments: Mapping[str, str]) -> Found | None:
    """Read a run of an answer; ``None`` where it is none. Nothing in it raises.

    Args:
        answer: ``{"info": {...}, "data": {"metrics": [...], "params": [...], "tags": [...]}}``.
        experiments: Names of experiments by id.
    """
    info = _object(answer, "info")
    data = _object(answer, "data")
    run_id = _text(info.get("run_id")) or _text(info.get("run_uuid"))
    # An id is part of addresses, and no surrogate can be sent.
    if not run_id or run_id != run_id.strip() or not run_id.isprintable():
        return None
    experiment_id = _text(info.get("experiment_id"))
    params, tags = _texts(data.get("params")), _texts(data.get("tags"))
    marks, latest = _latest(data.get("metrics"))
    stated = Stated(
        run_id=run_id,
        name=_text(info.get("run_name")),
        experiment=experiments.get(experiment_id, ""),
        status=_text(info.get("status")) or None,
        start_time=finite(info.get("start_time")),
        end_time=finite(info.get("end_time")),
        params=params,
        tags=tags,
    )
    seen = (
        experiment_id,
        stated.name,
        stated.experiment,
        stated.status,
        stated.start_time,
        stated.end_time,
        *(sorted(each.items()) for each in (params, tags, marks)),
    )
    return Found(experiment_id, info.get("lifecycle_stage") == "deleted", stated, marks, latest, _digest(seen))


def _digest(seen: tuple[Any, ...]) -> str:
    return hashlib.blake2b(repr(seen).encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()


def summary_of(found: Found) -> RunSummary:
    """The run as the list shows it: of its metrics only the latest values are known.

    What one value cannot say is left open: the best evaluation and where it was, the highest learning rate, and how
    the program's metrics lie against each other.
    """
    names = read_names({key: np.array([step], np.int64) for key, (step, _, _) in found.latest.items()})
    # A rate is judged by its highest value, and a name's hint by that: the last one is near 0 at the end of a run.
    rates = [key for key, chosen in names.items() if chosen.metric == "learning_rate"]
    # Ours, and what may count steps, is all that a summary is made of: thousands of runs are summed up.
    telling = [
        key
        for key, chosen in names.items()
        if (chosen.metric in METRICS or words_of(key)[-1:] in _COUNTING) and key not in rates
    ]
    others = [key for key in names if key not in rates and not key.startswith(SYSTEM_METRICS)]
    points = {key: _one(*found.latest[key]) for key in telling or others[:1]}
    logged = logged_run(found.stated, points, _files(found))
    form = form_of((), TITLE, replace(logged, notes=()), {}, _last_sign(found))
    run = form.run
    rate = next((float(one.value[0]) for one in (_one(*found.latest[key]) for key in rates) if len(one)), None)
    return replace(
        _dated(run, found),
        best_eval_loss=None,
        best_step=None,
        best_epoch=None,
        learning_rate=rate,
        current_step=_step(found) if run.current_step is None else run.current_step,
        ended_early=_ended_early(run, found),
    )


def _one(step: int, at: float, value: float) -> Points:
    """A single value, with its time in Unix milliseconds, as points; none where its step is no step."""
    point = Points(np.array([step], np.int64), np.array([at / 1000]), with_infinities(np.array([value], np.float64)))
    return usable(point)[0]


def whole_form(found: Found, metrics: Mapping[str, Points], notes: tuple[str, ...]) -> Form:
    """The run with all of its values."""
    logged: LoggedRun = logged_run(found.stated, metrics, _files(found), notes)
    return form_of((), TITLE, logged, {}, _last_sign(found))


def _dated(run: RunSummary, found: Found) -> RunSummary:
    """The run with the version and with a duration up to its last sign of life."""
    end = run.completed_at or run.updated_at
    known = run.started_at is not None and end is not None and end >= run.started_at
    return replace(
        run,
        version=found.version,
        files=(),
        duration_s=(end - run.started_at).total_seconds() if known and end and run.started_at else None,
    )


def _files(found: Found) -> tuple[tuple[str, ...], ...]:
    return ((found.run_id,),)


def _last_sign(found: Found) -> float:
    """Unix seconds of the latest value or end; NaN where neither has a time."""
    times = [at for _, at, _ in found.latest.values() if 0 < at < 1e14]
    times += [at for at in (found.stated.end_time, found.stated.start_time) if at is not None and 0 < at < 1e14]
    return max(times, default=math.nan) / 1000


def _step(found: Found) -> int | None:
    """The highest step of a latest value; how often the machine was sampled is no step."""
    steps = [step for key, (step, _, _) in found.latest.items() if not key.startswith(SYSTEM_METRICS) and step >= 0]
    return max(steps, default=None)


def _ended_early(run: RunSummary, found: Found) -> bool | None:
    """Whether a run that is complete left steps out: how far values lie apart is not known here."""
    step, total = _step(found), run.total_steps
    if run.status is not RunStatus.COMPLETED or step is None or total is None:
        return run.ended_early
    params = run.config.get("params")
    every = (finite(params.get("logging_steps")) if isinstance(params, Mapping) else None) or 0.0
    return step < total - max(every if every >= 1 else every * total, NEARLY_DONE * total)


def _latest(listed: Any) -> tuple[dict[str, str], dict[str, tuple[int, float, float]]]:
    marks: dict[str, str] = {}
    latest: dict[str, tuple[int, float, float]] = {}
    for each in (listed if isinstance(listed, list) else [])[:MOST_FACTS]:
        if not isinstance(each, Mapping) or not (key := _text(each.get("key"))):
            continue
        value = number(each.get("value"))
        step, at = finite(each.get("step") or 0), finite(each.get("timestamp") or 0)
        marks[key] = json.dumps([each.get("step"), each.get("timestamp"), each.get("value")], default=str)
        if value is not None and step is not None and at is not None and abs(step) < 2**63:
            latest[key] = int(step), at, value
    return marks, dict(sorted(latest.items()))


def _texts(listed: Any) -> dict[str, str]:
    """Keys and values of a list of pairs, by key."""
    pairs = {
        key: _text(each.get("value"))
        for each in (listed if isinstance(listed, list) else [])[:MOST_FACTS]
        if isinstance(each, Mapping) and (key := _text(each.get("key")))
    }
    return dict(sorted(pairs.items()))


def _object(answer: Any, key: str) -> Mapping[str, Any]:
    inner = answer.get(key) if isinstance(answer, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def _text(value: Any) -> str:
    """A text that can be sent on; numbers, which older servers use as ids, as texts."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).encode("utf-8", "replace").decode("utf-8")
