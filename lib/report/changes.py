"""What is another than when a decision was recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lib.core.facts.foreign import isolated
from lib.core.facts.metrics import metric_of
from lib.core.text.phrases import counted, in_sentence
from lib.report.record import KIND, digest_of

MOST_SAID, LONGEST = 60, 4000
"""Characters of a value; more where two begin alike."""


class About(StrEnum):
    """What a change is about."""

    RECORD = "record"
    RUN = "run"
    DATA = "data"
    SETTINGS = "settings"
    POLICY = "policy"
    CONSTANT = "constant"
    VERDICT = "verdict"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is another.

    Attributes:
        about: What it is about.
        sentence: What was on record, and what is now. Foreign names in it are isolated.
    """

    about: About
    sentence: str


def changes(record: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Change, ...]:
    """Name all that differs between a record and one that was made now of the same runs; () for the same.

    Versions of libraries are no change: where they matter, the verdict is another.

    Args:
        record: What was recorded (``lib.report.record.parse``).
        now: What is there now (``lib.report.record.record_of``); runs that are gone are not in it.
    """
    if record.get("kind") != KIND:
        raise ValueError(f"Expected a {KIND}.")
    return (
        *_edited(record),
        *_runs(record["runs"], now["runs"]),
        *_chosen(record, now),
        *_named(About.POLICY, "The rule: ", record["policy"], now["policy"]),
        *_named(About.CONSTANT, "A constant of the code: ", record["constants"], now["constants"]),
        *_verdict(record["verdict"], now["verdict"]),
    )


def _edited(record: Mapping[str, Any]) -> Iterator[Change]:
    if record["sha256"] != digest_of(record):
        yield Change(About.RECORD, "The record itself is not as it was written: something in it was changed since.")


def _runs(before: list[Mapping[str, Any]], after: list[Mapping[str, Any]]) -> Iterator[Change]:
    there = {run["run_id"]: run for run in after}
    for run in before:
        name = isolated(run["label"])
        if run["run_id"] not in there:
            yield Change(About.RUN, f"{name} is gone, or may not be read.")
            continue
        yield from _data(name, run, there[run["run_id"]])
    known = {run["run_id"] for run in before}
    yield from (
        Change(About.RUN, f"{isolated(run['label'])} is not in the record.")
        for run in after
        if run["run_id"] not in known
    )


def _data(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    yield from _metrics(name, before["metrics"], after["metrics"])
    if before["metrics"] == after["metrics"] and any(before.get(key) != after[key] for key in ("points", "last_step")):
        yield Change(About.DATA, f"The points of {name} are others on record than those of its metrics there.")
    if before.get("complete") != after.get("complete"):
        yield Change(About.DATA, f"The curves of {name} were read in another way: reduced, or whole.")
    for fact in sorted({*before["facts"], *after["facts"]}):
        one, other = before["facts"].get(fact), after["facts"].get(fact)
        if one != other:
            yield Change(About.DATA, f"{name}, {fact.replace('_', ' ')}: {_both(other, one)}.")
    if before.get("settings") != after.get("settings"):
        yield Change(About.SETTINGS, f"The settings of {name} are others than on record.")


def _metrics(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for metric in sorted({*before, *after}):
        one, other = before.get(metric), after.get(metric)
        if one == other:
            continue
        words = in_sentence(metric_of(metric).title)
        if other is None:
            yield Change(About.DATA, f"{name} has no {isolated(words)} any more.")
        elif one is None:
            yield Change(About.DATA, f"{name} has {isolated(words)} now, {counted(other['points'], 'point')}.")
        elif one["points"] != other["points"]:
            grown = f"{counted(other['points'], 'point')}, up to step {other['last_step']}"
            was = f"{counted(one['points'], 'point')}, up to step {one.get('last_step')}"
            yield Change(About.DATA, f"The {isolated(words)} of {name} has {grown}; on record are {was}.")
        else:
            yield Change(About.DATA, f"The {isolated(words)} of {name} has other values than on record.")


def _chosen(record: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    if record["by"] is not None and now["by"] is None:
        name = isolated(in_sentence(metric_of(record["by"]).title))
        yield Change(About.POLICY, f"The metric that was chosen, {name}, is none that a ranked run logged.")
    elif record["by"] != now["by"]:
        yield Change(About.POLICY, f"The metric that was chosen: {_both(now['by'], record['by'])}.")
    if record["direction"] != now["direction"]:
        yield Change(About.POLICY, f"Its direction: {_both(now['direction'], record['direction'])}.")


def _named(about: About, what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name in dict.fromkeys((*before, *after)):
        one, other = before.get(name), after.get(name)
        if one != other:
            words = name.replace("_", " ")
            yield Change(about, f"{what}{isolated(words)} is {_both(other, one)}.")


def _verdict(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    words = {
        "headline": "The verdict",
        "recommended": "The recommended run",
        "tied": "The runs that are level",
        "decided_by": "The deciding metric",
        "sure": "How sure it is",
        "checkpoint": "The checkpoint to ship",
    }
    for key, what in words.items():
        if before.get(key) != after.get(key):
            yield Change(About.VERDICT, f"{what}: {_both(after.get(key), before.get(key))}.")
    whole = {
        "ranking": "The ranking",
        "left_out": "What is left out",
        "objections": "What speaks against it",
        "findings": "What was found in the runs",
        "classes": "What does not compare",
    }
    for key in dict.fromkeys((*whole, *before, *after)):
        if key not in words and before.get(key) != after.get(key):
            what = whole.get(key) or f"What is said of {isolated(key)}"
            yield Change(About.VERDICT, f"{what} is not as on record.")


def _both(now: Any, before: Any) -> str:
    """Two values, with as much of each as it takes to see that they differ."""
    most = MOST_SAID
    while _said(now, most) == _said(before, most) and most < LONGEST:
        most *= 2
    return f"{_said(now, most)}; on record is {_said(before, most)}"


def _said(value: Any, most: int) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        value = ", ".join(f"{key} {_said(each, most)}" for key, each in value.items() if each is not None)
    elif isinstance(value, list):
        value = ", ".join(_said(each, most) for each in value) or "none"
    text = str(value)
    return isolated(text if len(text) <= most else f"{text[: most - 1]}…")
