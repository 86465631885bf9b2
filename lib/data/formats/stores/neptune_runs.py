"""Runs of Neptune, of the attributes and series that its exporter writes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from lib.core.facts.runs import RunStatus
from lib.data.formats.logged import FilePath, LoggedRun, Series
from lib.data.formats.stores.points import Points, dropped_steps, steps_by_time, usable

MILLION = 1_000_000
SYSTEM = "sys"
SAMPLED = "monitoring"
"""Use of processor and memory, sampled by the clock: its steps count samples."""
_NOT_CONFIG = frozenset({SAMPLED, "source_code", "artifacts"})
_RESULTS = re.compile(r"(metrics?|eval\w*|test\w*|val(id\w*)?|results?|scores?|summary|final)", re.IGNORECASE)


def run_of(
    run: str, project: str, facts: Mapping[str, Any], metrics: Mapping[str, Points], files: Sequence[FilePath]
) -> LoggedRun:
    """A run.

    Args:
        run: Its id.
        project: What it belongs to.
        facts: Attributes that are no series, by path: hyperparameters, results, and what Neptune says of the run.
        metrics: Series by path, with steps in millionths.
        files: What it was read from.
    """
    series, notes = _series(metrics)
    config: dict[str, Any] = {}
    last: dict[str, float] = {}
    for path, value in facts.items():
        section, _, rest = path.partition("/")
        if section == SYSTEM or section in _NOT_CONFIG:
            continue
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if rest and is_number and _RESULTS.fullmatch(section):
            last[path] = float(value)
        else:
            _put(config.setdefault(section if rest else "run", {}), rest or path, value)
    system = {path.partition("/")[2]: value for path, value in facts.items() if path.startswith(f"{SYSTEM}/")}
    status, said = _status(system)
    words = ("owner", "tags", "group_tags", "description", "hostname")
    created = system.get("creation_time")
    return LoggedRun(
        files=tuple(files),
        series=series,
        key=run,
        name=str(system.get("name") or system.get("experiment/name") or run),
        identity=f"{project}/{run}" if project else run,
        config=config,
        last=last,
        status=status,
        said=said,
        created_at=created.timestamp() if isinstance(created, datetime) else None,
        tags={
            **({"project": project} if project else {}),
            **{word: str(system[word]) for word in words if system.get(word)},
        },
        notes=tuple(notes),
    )


def _status(system: Mapping[str, Any]) -> tuple[RunStatus, str | None]:
    """What Neptune says: that a run is inactive and did not fail does not say that it was finished."""
    if system.get("failed") is True:
        return RunStatus.FAILED, "failed"
    state = system.get("state")
    if not isinstance(state, str) or not state:
        return RunStatus.UNKNOWN, None
    return (RunStatus.RUNNING if state.lower() in ("active", "running") else RunStatus.UNKNOWN), state


def _put(section: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at its place below a section; where a value stands on the way there, under its whole path."""
    inner = section
    *way, last = path.split("/")
    for part in way:
        inner = inner.setdefault(part, {})
        if not isinstance(inner, dict):
            section[path] = value
            return
    if isinstance(inner.get(last), dict):
        section[path] = value
    else:
        inner[last] = value.isoformat() if isinstance(value, datetime) else value


def _series(metrics: Mapping[str, Points]) -> tuple[dict[str, Series], list[str]]:
    """Series of points whose steps are in millionths, and remarks.

    Neptune allows fractional steps. Where the longest metric has them, they are what the run counts in, and all its
    steps are multiplied; otherwise they are of another clock, and placed among the others by time.
    """
    own = {path: points for path, points in metrics.items() if path.partition("/")[0] != SAMPLED}
    apart = {path for path, points in own.items() if (points.step % MILLION).any()}
    notes: list[str] = []
    unit = MILLION
    if apart and max(len(own[path]) for path in apart) > max(
        (len(own[path]) for path in own.keys() - apart), default=0
    ):
        unit = int(np.gcd.reduce([MILLION, *(int(np.gcd.reduce(points.step)) for points in own.values())]))
        notes.append(f"Steps were logged as fractions; all of them are multiplied by {MILLION // unit:,}.")
        apart = set()
    series: dict[str, Series] = {}
    dropped = 0
    for path in own.keys() - apart:
        good, bad = usable(_in_units(own[path], unit))
        dropped += bad
        if len(good):
            series[path] = good.series()
    known = [(each.step, each.at) for each in series.values() if each.at is not None]
    for path in sorted(apart) + [path for path in metrics if path not in own]:
        points = _in_units(metrics[path], MILLION)
        steps = steps_by_time(points.at, known)
        good, bad = usable(points if steps is None else Points(steps, points.at, points.value))
        dropped += bad
        if len(good):
            series[path] = good.series()
    if apart:
        notes.append(
            f"Logged at fractions of steps, and placed by the time of logging: {', '.join(sorted(apart)[:3])}."
        )
    if len(metrics) > len(own) and known:
        notes.append("What is sampled by the clock (monitoring) is placed by the time of logging.")
    return {path: series[path] for path in metrics if path in series}, notes + dropped_steps(dropped)


def _in_units(points: Points, unit: int) -> Points:
    return Points(points.step // unit, points.at, points.value)
