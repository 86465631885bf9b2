"""What the page of the runs' health says: what was found, in whom, what could not be checked and why, each once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lib.core.checks.check import Group, Outcome, Result, most_severe
from lib.core.checks.common_spikes import CommonSpikes
from lib.core.checks.results import SERIOUS, SIGNS, Confidence
from lib.core.facts.findings import Finding, Severity
from lib.core.text.phrases import counted, first_of, in_sentence, listed
from lib.core.verdict.assessment import Assessment

STEPS_NAMED = 5
"""So many steps of findings of one kind are named."""
NUMBERS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five"}


@dataclass(frozen=True, slots=True)
class Line:
    """What one check found in one run.

    Attributes:
        code: Of the check.
        title: Of the check.
        severity: Of the worst.
        text: A sentence about all of it.
        each: The sentences of single findings, where there are several.
        unlisted: How many there are beside these.
        events: How many findings there are.
        places: Step and metric of each finding that has a place in a chart: one, or as many as ``each``, with
            ``None`` of those that have none.
        is_note: It is a habit of writers that the app allows for; what it is stands below all runs.
    """

    code: str
    title: str
    severity: Severity
    text: str
    each: tuple[str, ...]
    unlisted: int
    events: int
    places: tuple[tuple[int, str] | None, ...] = ()
    is_note: bool = False

    @property
    def is_serious(self) -> bool:
        """Whether somebody should look at it."""
        return self.severity in SERIOUS


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    """The health of some runs at a glance.

    Attributes:
        headline: What was found, the recommended run first.
        lines: By run id, what was found in it, the most severe first; of runs that were read.
        common: What was found in all of them.
        events: How many findings there are, without what is harmless.
        notes: What is odd about stored values and does no harm, with the runs of which it is.
        untold: Why checks could not be made, with these checks and the runs in which they could not.
        fine: The titles of the checks that were made in all runs, and found nothing.
        checks: How many checks there are.
        data: How far the data bear a verdict.
    """

    headline: str
    lines: Mapping[str, tuple[Line, ...]]
    common: tuple[str, ...]
    events: int
    notes: tuple[str, ...]
    untold: tuple[tuple[str, str], ...]
    fine: tuple[str, ...]
    checks: int
    data: str


def health_answer(
    assessed: Mapping[str, Assessment | None],
    names: Mapping[str, str],
    recommended: str | None,
    common: Sequence[CommonSpikes] = (),
    silent: Iterable[str] = (),
) -> HealthAnswer:
    """Sum up what is worked out about the compared runs.

    Args:
        assessed: By run id, in the order in which they are told; ``None`` of a run that could not be read.
        names: What they are called in a sentence.
        recommended: The run to ship, or the first of those that tie.
        common: The spikes that all of them have.
        silent: The runs that logged nothing: that they could not be checked is said of them as a whole.
    """
    read = {run_id: each for run_id, each in assessed.items() if each is not None}
    lines = {run_id: _lines(each, common) for run_id, each in read.items()}
    told = {run_id: each for run_id, each in read.items() if run_id not in set(silent)}
    results = [result for each in told.values() for result in each.checks.results]
    outcomes: dict[str, set[Outcome]] = {}
    for result in results:
        outcomes.setdefault(result.check.title, set()).add(result.outcome)
    return HealthAnswer(
        headline=_headline(lines, recommended if len(assessed) > 1 else None),
        lines=lines,
        common=tuple(each.sentence for each in common),
        events=sum(line.events for each in lines.values() for line in each if not line.is_note),
        notes=_notes(told, names),
        untold=_untold(told, names),
        fine=tuple(title for title, came in outcomes.items() if came == {Outcome.NOT_FOUND}),
        checks=len(outcomes),
        data=_data(told, names),
    )


def _lines(assessment: Assessment, common: Sequence[CommonSpikes]) -> tuple[Line, ...]:
    found, unit = [], assessment.unit
    for result in assessment.checks.results:
        findings = tuple(each for each in result.findings if not _is_common(each, common))
        events = result.events - len(result.findings) + len(findings)
        if findings:
            found.append(_noted(result, events) if _is_note(result) else _line(result, findings, events, unit))
    return tuple(sorted(found, key=lambda line: list(SIGNS).index(line.severity)))


def _is_common(finding: Finding, common: Sequence[CommonSpikes]) -> bool:
    first = -1 if finding.step is None else finding.step
    return any(
        each.code == finding.code and any(first <= step <= (finding.extent or first) for step in each.steps)
        for each in common
    )


def _is_note(result: Result) -> bool:
    """Whether it is a habit of writers that the app allows for."""
    return result.check.group is Group.DATA and all(each.severity is Severity.INFO for each in result.findings)


def _noted(result: Result, events: int) -> Line:
    """That there is something to know: what, stands once for all runs, below."""
    said = f"{result.check.title}: harmless, see the data checks."
    return Line(result.check.code, result.check.title, Severity.INFO, said, (), 0, events, is_note=True)


def _line(result: Result, findings: Sequence[Finding], events: int, unit: str) -> Line:
    worst = most_severe(findings)
    steps = [each.step for each in findings if each.step is not None]
    if events == 1:
        text = worst.sentence
    elif len(steps) < len(findings):
        text = f"{worst.sentence} And {events - 1:,} more."
    else:
        named = [f"{step:,}" for step in sorted(steps)]
        more = events - min(len(named), STEPS_NAMED)
        where = f"{', '.join(named[:STEPS_NAMED])} and {more:,} more" if more else listed(named)
        text = f"{result.check.title}: {events:,} times, at {unit}s {where}."
    each = tuple(finding.sentence for finding in findings) if events > 1 else ()
    unlisted = events - len(findings)
    places = tuple(finding.place for finding in (findings if each else (worst,)))
    return Line(result.check.code, result.check.title, worst.severity, text, each, unlisted, events, places)


def _headline(lines: Mapping[str, Sequence[Line]], recommended: str | None) -> str:
    serious = {run_id: own for run_id, each in lines.items() if (own := [line for line in each if line.is_serious])}
    count = len(lines)
    if not lines:
        return "None of the runs could be read, so nothing could be checked"
    if not serious:
        some = any(lines.values())
        where = "" if count == 1 else f" in any of the {NUMBERS.get(count, count)} runs"
        return f"Nothing {'serious was ' if some else 'was '}found{where}"
    if count == 1:
        (own,) = serious.values()
        return _first_upper(f"{first_of([in_sentence(line.title) for line in own], 3)}")
    if recommended is None or recommended not in lines:
        return f"{_first_upper(NUMBERS.get(len(serious), str(len(serious))))} of {counted(count, 'run')} have findings"
    if recommended not in serious:
        has = "has nothing serious" if lines[recommended] else "is clean"
        return f"The recommended run {has}; {_others(len(serious), count - 1)} findings"
    worst = min(serious[recommended], key=lambda line: (list(SIGNS).index(line.severity), -_having(serious, line)))
    having = _having(serious, worst)
    if having == 1:
        titles = [in_sentence(each.title) for each in serious[recommended]]
        return f"The recommended run has findings: {first_of(titles, 3)}"
    return f"{worst.title} in {NUMBERS.get(having, having)} runs, the recommended one among them"


def _having(serious: Mapping[str, Sequence[Line]], line: Line) -> int:
    return sum(any(each.code == line.code for each in own) for own in serious.values())


def _others(many: int, of: int) -> str:
    if many == of:
        return "the other one has" if of == 1 else f"the {NUMBERS.get(of, of)} others have"
    return "one other has" if many == 1 else f"{NUMBERS.get(many, many)} others have"


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _whose(run_ids: Sequence[str], of: Sequence[str], names: Mapping[str, str]) -> str:
    """Which runs, in brackets; "" for all of them."""
    return "" if len(run_ids) == len(of) else f" ({listed([names[run_id] for run_id in run_ids])})"


def _notes(read: Mapping[str, Assessment], names: Mapping[str, str]) -> tuple[str, ...]:
    """What the passport found and does no harm: of each check the first run's sentence, and whose it is."""
    runs: dict[str, list[str]] = {}
    sentences: dict[str, str] = {}
    for run_id, each in read.items():
        for result in each.checks.results:
            if result.findings and _is_note(result):
                runs.setdefault(result.check.code, []).append(run_id)
                sentences.setdefault(result.check.code, result.sentence)
    return tuple(f"{sentence}{_like(runs[code], read, names)}" for code, sentence in sentences.items())


def _like(run_ids: Sequence[str], read: Mapping[str, Assessment], names: Mapping[str, str]) -> str:
    """Of which run a sentence is, and in how many others it is alike, in brackets; "" where there is one run."""
    if len(read) == 1:
        return ""
    first, *others = run_ids
    alike = f", alike in {NUMBERS.get(len(others), len(others))} more" if others else ""
    return f" ({names[first]}{alike})"


def _untold(read: Mapping[str, Assessment], names: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Why something could not be told, with what, one entry for each reason."""
    said: dict[str, str] = {}
    checks: dict[str, dict[str, list[str]]] = {}
    for run_id, each in read.items():
        untold = [(result.check.title, result.because) for result in each.checks.results if _is_untold(result)]
        untold += [(f"overfitting, {name.replace('_', ' ')}", why) for name, why in each.overfitting.cannot_tell]
        for title, because in untold:
            reason = because.rstrip(".")
            # What follows the first clause differs from check to check.
            key = re.split("[,;] ", reason)[0]
            said[key] = min(said.get(key, reason), reason, key=len)
            checks.setdefault(key, {}).setdefault(in_sentence(title), []).append(run_id)
    return tuple((_first_upper(said[key]), _clauses(of, list(read), names)) for key, of in checks.items())


def _is_untold(result: Result) -> bool:
    return result.outcome is Outcome.CANNOT_TELL


def _clauses(checks: Mapping[str, Sequence[str]], read: Sequence[str], names: Mapping[str, str]) -> str:
    """The checks that could not be made, those of the same runs together."""
    by_runs: dict[tuple[str, ...], list[str]] = {}
    for title, run_ids in checks.items():
        by_runs.setdefault(tuple(run_ids), []).append(title)
    return "; ".join(f"{', '.join(titles)}{_whose(run_ids, read, names)}" for run_ids, titles in by_runs.items())


def _data(read: Mapping[str, Assessment], names: Mapping[str, str]) -> str:
    """How far the data bear a verdict; what lowers it stands with the run's findings."""
    doubted = [run_id for run_id, each in read.items() if each.checks.confidence is not Confidence.UNDIMINISHED]
    if not read:
        return "No run was read."
    if not doubted:
        return "Passed."
    low = [run_id for run_id in doubted if read[run_id].checks.confidence is Confidence.LOW]
    lowered = [run_id for run_id in doubted if run_id not in low]
    said = [
        f"{'Low' if which is low else 'Lowered'} confidence in {listed([names[run_id] for run_id in which])}"
        for which in (low, lowered)
        if which
    ]
    rest = "; passed in the others" if len(doubted) < len(read) else ""
    return f"{'; '.join(said)}, by what is listed above{rest}."
