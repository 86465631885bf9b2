"""What was found of one run as a short list: many spikes of one metric are one line."""

from __future__ import annotations

from collections.abc import Iterator

from lib.core.checks.check import Result
from lib.core.checks.results import SIGNS, Results
from lib.core.facts.findings import Severity
from lib.core.facts.metrics import metric_of
from lib.core.facts.runs import RunSummary
from lib.core.text.log_units import by_unit
from lib.core.text.phrases import in_sentence


def grouped(checks: Results, run: RunSummary) -> list[tuple[Severity, str]]:
    """How severe it is and a sentence about it, the most severe first.

    Args:
        checks: What all checks of the run came to.
        run: By whose unit steps are said.
    """
    lines = [line for result in checks.results for line in _lines(result, run)]
    return sorted(lines, key=lambda line: list(SIGNS).index(line[0]))


def _lines(result: Result, run: RunSummary) -> Iterator[tuple[Severity, str]]:
    peaks = [each for each in result.findings if "peak_step" in each.evidence]
    if len(peaks) < 2 or len(peaks) < len(result.findings):
        yield from ((each.severity, each.sentence) for each in result.findings)
        return
    highest = max(peaks, key=lambda each: float(each.evidence["value"]))
    evidence = highest.evidence
    metric = in_sentence(metric_of(str(evidence["metric"])).title)
    said = (
        f"{result.events:,} spikes of {metric}, the largest {float(evidence['value']):#.3g}"
        f" at step {int(evidence['peak_step']):,}."
    )
    yield min((each.severity for each in peaks), key=list(SIGNS).index), by_unit(said, run)
