"""What is said of runs at equal budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lib.core.budget.equal import EqualBudget
from lib.core.curves.axes import Axis
from lib.core.ranking.deciding import Deciding
from lib.core.text.formatting import count
from lib.core.text.phrases import listed
from lib.core.text.precision import to_decimals, together
from lib.core.verdict.metric_words import metric_name

MOST_CROSSINGS = 3
_NOUNS = {Axis.STEP: "steps", Axis.SAMPLES: "samples", Axis.TOKENS: "tokens", Axis.HOURS: "hours"}


def budget_lines(
    budgets: Sequence[EqualBudget], deciding: Deciding, labels: Mapping[str, str], *, in_epochs: bool = False
) -> list[tuple[str, str]]:
    """What each kind of budget comes to: a title, and sentences.

    Args:
        budgets: In their order; that of steps among them, which the others are held against.
        deciding: The metric of the values.
        labels: What the runs are called, by id.
        in_epochs: A step of all logs is an epoch.
    """
    by_step = next((each for each in budgets if each.axis is Axis.STEP), None)
    found = []
    for each in budgets:
        noun = "epochs" if in_epochs and each.axis is Axis.STEP else _NOUNS[each.axis]
        amount = f"{_amount(each.axis, each.amount)} {noun[:-1] if each.amount == 1 else noun}"
        values = together(list(each.values.values()))
        told = listed([f"{labels[run_id]} {value}" for run_id, value in zip(each.values, values, strict=True)])
        best = [labels[run_id] for run_id, value in each.values.items() if value == each.values[each.leader]]
        leads = f"{listed(best)} {'leads' if len(best) == 1 else 'lead'} in {metric_name(deciding.metric)}"
        said = [f"At {amount}, the most that all reached, {leads}: {told}."]
        said += [
            f"{labels[run_id]} was evaluated first at {_amount(each.axis, at)}." for run_id, at in each.later.items()
        ]
        said += _crossings(each, labels, noun)
        if by_step is not None and not each.later and tuple(each.values) != tuple(by_step.values):
            said.append(f"The order is another than at equal {'epochs' if in_epochs else 'steps'}.")
        if len(each.front) < len(each.values) + len(each.later) and each.axis is not Axis.STEP:
            said.append(f"Best for what they took: {listed([labels[run_id] for run_id in each.front])}.")
        said += [f"{labels[run_id]} has no place here. {why}" for run_id, why in each.missing.items()]
        ways = dict.fromkeys(each.derived.values())
        said += [f"Samples are steps × effective batch size ({'; '.join(ways)})."] if ways else []
        found.append((f"Equal {noun}", " ".join(said)))
    return found


def _crossings(budget: EqualBudget, labels: Mapping[str, str], noun: str) -> list[str]:
    crossings = budget.crossings
    if not crossings:
        return []
    if len(crossings) > MOST_CROSSINGS:
        last = crossings[-1]
        return [
            f"The lead changed {len(crossings)} times, the last time at {_amount(budget.axis, last.at)} {noun}"
            f" from {labels[last.before]}."
        ]
    return [
        f"Up to {_amount(budget.axis, each.at)} {noun} {labels[each.before]} led before {labels[each.after]}."
        for each in crossings
    ]


def _amount(axis: Axis, amount: float) -> str:
    return to_decimals(amount, 2) if axis is Axis.HOURS else count(amount)
