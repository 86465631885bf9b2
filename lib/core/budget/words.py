"""What is said of runs at equal budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lib.core.budget.equal import EqualBudget
from lib.core.budget.spent import ALL_REACHED, Budget, Kind, Price
from lib.core.ranking.deciding import Deciding
from lib.core.text.formatting import count
from lib.core.text.phrases import listed
from lib.core.text.precision import to_decimals, together
from lib.core.verdict.metric_words import metric_name

MOST_CROSSINGS = 3
OF_HOURS = (
    "Hours are wall time from where a log's clock begins, mostly its first line: start-up and compilation since then,"
    " evaluations and pauses are in them."
)


def noun_of(kind: Kind, *, in_epochs: bool = False) -> str:
    """What amounts of a kind are called."""
    return "epochs" if in_epochs and kind is Kind.STEPS else "cost" if kind is Kind.MONEY else kind.value


def axis_of(kind: Kind, price: Price | None, *, in_epochs: bool = False) -> str:
    """The title of an axis of amounts."""
    noun = noun_of(kind, in_epochs=in_epochs)
    return f"{noun[:1].upper()}{noun[1:]}" + (f" in {price.sign}" if kind is Kind.MONEY and price is not None else "")


def amount_said(kind: Kind, amount: float, price: Price | None, *, in_epochs: bool = False) -> str:
    """An amount with its unit.

    Example:
        >>> amount_said(Kind.STEPS, 1200.0, None), amount_said(Kind.MONEY, 3.5, Price(2.0, "€"))
        ('1,200 steps', '€3.50')
    """
    if kind is Kind.MONEY:
        return f"{'' if price is None else price.sign}{amount:,.2f}"
    noun = noun_of(kind, in_epochs=in_epochs)
    return f"{_number(kind, amount)} {noun[:-1] if amount == 1 else noun}"


def why_not(kind: Kind) -> str:
    """That the runs cannot be compared at equal amounts of a kind."""
    if kind is Kind.MONEY:
        return "Runs can be compared at equal cost where a price of a GPU hour is set and their logs have times."
    return f"These runs cannot be compared at equal {kind.value}: fewer than two of them have a count."


def budget_lines(
    budgets: Sequence[EqualBudget],
    deciding: Deciding,
    labels: Mapping[str, str],
    *,
    in_epochs: bool = False,
    budget: Budget = ALL_REACHED,
) -> list[tuple[str, str]]:
    """What each kind of budget comes to: a title, and sentences.

    Args:
        budgets: In their order; that of steps among them, which the others are held against.
        deciding: The metric of the values.
        labels: What the runs are called, by id.
        in_epochs: A step of all logs is an epoch.
        budget: What they were compared at.
    """
    by_step = next((each for each in budgets if each.kind is Kind.STEPS), None)
    steps = noun_of(Kind.STEPS, in_epochs=in_epochs)
    found = []
    for each in budgets:

        def amount(value: float, kind: Kind = each.kind) -> str:
            return amount_said(kind, value, budget.price, in_epochs=in_epochs)

        said = [_who_leads(each, deciding, labels, amount(each.amount))]
        said += [f"{labels[run_id]} was evaluated first at {amount(at)}." for run_id, at in each.later.items()]
        if each.is_chosen:
            said += [f"{labels[run_id]} had ended by then, at {amount(at)}." for run_id, at in each.ended.items()]
        said += _crossings(each, labels, [amount(crossing.at) for crossing in each.crossings])
        if by_step is not None and not each.is_chosen and not by_step.is_chosen:
            # Only runs that have a place in both can stand in another order.
            both = [run_id for run_id in by_step.values if run_id in each.values]
            if _is_another_order(each, by_step, both):
                order = ", ".join(labels[run_id] for run_id in both)
                said.append(f"The order is another than at equal {steps}: {order} there.")
        if len(each.front) < len(each.courses) and each.kind is not Kind.STEPS:
            said.append(f"Best for what they took: {listed([labels[run_id] for run_id in each.front])}.")
        said += [f"{labels[run_id]} has no place here. {why}" for run_id, why in each.missing.items()]
        said += _derived(each, labels)
        said += [OF_HOURS] if each.kind in (Kind.HOURS, Kind.MONEY) else []
        found.append((f"Equal {noun_of(each.kind, in_epochs=in_epochs)}", " ".join(said)))
    return found


def _is_another_order(one: EqualBudget, other: EqualBudget, run_ids: Sequence[str]) -> bool:
    """Whether a run is ahead of another one here and behind it there; those with the same value have no order."""
    return any(
        one.sign * (one.values[a] - one.values[b]) < 0 < other.sign * (other.values[a] - other.values[b])
        for a in run_ids
        for b in run_ids
    )


def _who_leads(budget: EqualBudget, deciding: Deciding, labels: Mapping[str, str], amount: str) -> str:
    if budget.leader is None:
        return f"At {amount} no run was evaluated yet."
    values = together(list(budget.values.values()))
    told = listed([f"{labels[run_id]} {value}" for run_id, value in zip(budget.values, values, strict=True)])
    best = [labels[run_id] for run_id, value in budget.values.items() if value == budget.values[budget.leader]]
    leads = f"{listed(best)} {'leads' if len(best) == 1 else 'lead'} in {metric_name(deciding.metric)}"
    most = "" if budget.is_chosen else ", the most that all reached"
    return f"At {amount}{most}, {leads}: {told}." if most else f"At {amount} {leads}: {told}."


def _crossings(budget: EqualBudget, labels: Mapping[str, str], amounts: Sequence[str]) -> list[str]:
    crossings = budget.crossings
    if not crossings:
        return []
    if len(crossings) > MOST_CROSSINGS:
        last = labels[crossings[-1].before]
        return [f"The lead changed {len(crossings)} times, the last time at {amounts[-1]} from {last}."]
    return [
        f"Up to {amount} {labels[each.before]} led before {labels[each.after]}."
        for each, amount in zip(crossings, amounts, strict=True)
    ]


def _derived(budget: EqualBudget, labels: Mapping[str, str]) -> list[str]:
    """How amounts follow from what was logged: once for runs of which it is the same, unnamed where all are such."""
    ways: dict[str, list[str]] = {}
    for run_id, way in budget.derived.items():
        ways.setdefault(way, []).append(labels[run_id])
    if len(ways) == 1 and len(budget.derived) == len(budget.courses):
        return [f"{next(iter(ways))}."]
    return [f"{listed(names)}: {way}." for way, names in ways.items()]


def _number(kind: Kind, amount: float) -> str:
    if kind is not Kind.HOURS:
        return count(amount)
    return to_decimals(amount, 2 if amount >= 0.1 else 4)
