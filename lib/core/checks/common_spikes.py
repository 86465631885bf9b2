"""Spikes that all compared runs have at the same steps: hard batches, which are no fault of any of the runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lib.core.checks.check import Outcome, Result
from lib.core.checks.results import Results
from lib.core.config.effective import effective
from lib.core.config.setting import value_of
from lib.core.facts.findings import Finding, Severity
from lib.core.facts.limits import Limit
from lib.core.facts.runs import RunSummary, count_epochs
from lib.core.text.phrases import first_of

# fmt: off
COMMON_CHANCE = Limit(0.001, "Common chance",
    "Spikes at the same steps are put down to the batches where so many would coincide by chance less often than this.")
# fmt: on

CODES = ("loss_spike", "gradient_spike")
TITLES = {"loss_spike": "Train losses", "gradient_spike": "Gradient norms"}
ORDER_KEYS = ("dataset", "seed", "data_seed", "effective_batch_size")
"""What decides which samples a step sees. Where two runs state it otherwise, their batches are not the same."""
STEPS_NAMED = 5


@dataclass(frozen=True, slots=True)
class CommonSpikes:
    """Spikes of one kind that every run has.

    Attributes:
        code: The check that found them in each.
        steps: A step of each that all runs have above their limits.
        sentence: For people.
    """

    code: str
    steps: tuple[int, ...]
    sentence: str
    severity: Severity = Severity.INFO


def common_spikes(results: Mapping[str, Results], runs: Mapping[str, RunSummary]) -> tuple[CommonSpikes, ...]:
    """The spikes that all runs have at common steps, by kind of spike.

    Runs in which spikes cannot be told take no part; two others are the least.

    Args:
        results: What all checks of each run came to, by its id.
        runs: The same runs by id; their configurations say whether the same step saw the same batch.
    """
    if any(_differs(key, [runs[run_id] for run_id in results]) for key in ORDER_KEYS):
        return ()
    found = []
    for code in CODES:
        judged = {run_id: each.of(code) for run_id, each in results.items()}
        judged = {run_id: result for run_id, result in judged.items() if result.outcome is not Outcome.CANNOT_TELL}
        if len(judged) < 2:
            continue
        first, *others = judged.values()
        common = [
            each for each in first.findings if all(any(_meet(each, its) for its in other.findings) for other in others)
        ]
        if common and _chance(list(judged.values()), len(common)) < COMMON_CHANCE:
            steps = tuple(_shared_step(each, others) for each in common)
            unit = "epoch" if count_epochs(runs[run_id] for run_id in judged) else "step"
            found.append(CommonSpikes(code, steps, _sentence(code, steps, unit, len(judged), len(results))))
    return tuple(found)


def _differs(key: str, runs: Sequence[RunSummary]) -> bool:
    stated = [value for run in runs if (value := value_of(effective(run), key)) is not None]
    return any(value != stated[0] for value in stated)


def _meet(one: Finding, other: Finding) -> bool:
    """Whether two spikes have a step in common."""
    if one.step is None or other.step is None:
        return False
    return one.step <= (other.extent or other.step) and other.step <= (one.extent or one.step)


def _shared_step(one: Finding, others: Sequence[Result]) -> int:
    """The latest of the first steps of spikes that meet: all of them hold it, where all meet one another."""
    firsts = [its.step or 0 for other in others for its in other.findings if _meet(one, its)]
    return max(one.step or 0, *firsts)


def _chance(results: Sequence[Result], common: int) -> float:
    """How likely it is that so many spikes, or more, coincide in all runs by chance (Poisson)."""
    points = min(float(finding.evidence["judged"]) for result in results for finding in result.findings)
    expected = points * math.prod(len(result.findings) / points for result in results)
    # The sum of the probabilities from ``common`` on: their complement is 1 to the last digit.
    return sum(
        math.exp(many * math.log(expected) - expected - math.lgamma(many + 1)) for many in range(common, common + 50)
    )


def _sentence(code: str, steps: Sequence[int], unit: str, judged: int, of: int) -> str:
    where = f"{unit}{'s' if len(steps) > 1 else ''} {first_of([f'{step:,}' for step in steps], STEPS_NAMED)}"
    whose = "both runs" if of == judged == 2 else "all runs" if of == judged else f"all {judged} runs that tell"
    return f"{TITLES[code]} spike at {where} in {whose}: hard batches."


def without_common(results: Results, common: Sequence[CommonSpikes]) -> Results:
    """The results of one run in which common spikes are worth knowing and nothing more."""
    return replace(results, results=tuple(_lowered(result, common) for result in results.results))


def _lowered(result: Result, common: Sequence[CommonSpikes]) -> Result:
    steps = [step for each in common if each.code == result.check.code for step in each.steps]

    def lowered(finding: Finding) -> Finding:
        first = finding.step if finding.step is not None else -1
        meets = any(first <= step <= (finding.extent or first) or first == step for step in steps)
        return replace(finding, severity=Severity.INFO) if meets else finding

    return replace(result, findings=tuple(map(lowered, result.findings))) if steps else result
