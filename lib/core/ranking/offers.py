"""What a list of runs may offer beside those that are selected: runs that compare, and better ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from lib.core.aspects.facts import Agreement
from lib.core.config.effective import effective
from lib.core.config.setting import value_of
from lib.core.facts.runs import RunStatus, RunSummary, eval_loss_of
from lib.core.facts.values import finite, text
from lib.core.ranking.comparability import Pair, comparability_of
from lib.core.ranking.comparability_aspects import Aspect
from lib.core.ranking.decision import Decision
from lib.core.ranking.metric_names import EVAL_LOSS

_WORD, _DIGIT = re.compile(r"[a-z0-9.]+", re.IGNORECASE), re.compile("[0-9]")
"""What tells runs of one sweep apart in the names of their folders: numbers, and words with a digit in them."""
_RANKS = {Agreement.SAME: 0, Agreement.CANNOT_TELL: 1}


def comparable_with(run: RunSummary, listed: Sequence[RunSummary]) -> tuple[RunSummary, ...]:
    """The completed runs whose values mean the same by what their summaries tell; those that surely do come first.

    Left out are the run itself and runs that are one training with it.
    """
    found = [
        (_RANKS[agreement], place, other)
        for place, other in enumerate(listed)
        if other.run_id != run.run_id
        and other.status is RunStatus.COMPLETED
        and other.same_training_as is None
        and run.same_training_as != other.run_id
        and (agreement := comparability_of([run, other]).pairs[0].agreement) in _RANKS
    ]
    return tuple(other for _, _, other in sorted(found, key=lambda each: each[:2]))


def better_in(decision: Decision, runs: Sequence[RunSummary], listed: Sequence[RunSummary]) -> RunSummary | None:
    """The best run of a list that is not selected and has a better value of the deciding metric than the first.

    Only what is stored of a run is looked at, and only where it is of that metric. A run is named only if it is known
    to compare, or is of the same work by what both state (``_are_kin``): of two runs that state nothing nobody can tell
    whether they differ, and the loss of one method is no better than that of another.

    Args:
        decision: About the selected runs.
        runs: These.
        listed: The list.
    """
    winner, deciding = decision.recommendation.winner, decision.deciding
    if winner is None or deciding.better is None or not decision.has_main_class:
        return None
    own = next(run for run in runs if run.run_id == winner.run_id)
    selected = {run.run_id for run in runs}
    values = {
        run.run_id: value
        for run in listed
        if run.run_id not in selected and (value := stored_best(run, deciding.metric)) is not None
    }
    sign = deciding.sign
    better = [run for run in listed if run.run_id in values and sign * values[run.run_id] < sign * winner.value]
    kin = [run for run in comparable_with(own, better) if _are_kin(own, run)]
    return min(kin, key=lambda run: sign * values[run.run_id], default=None)


def _are_kin(own: RunSummary, other: RunSummary) -> bool:
    """Whether two runs that are not known to differ are of the same work.

    They are known to compare, or share their data, or the method and the base model, or the file that they are in, or
    they are of one sweep: folders beside each other that only numbers tell apart, with most settings equal.
    """
    (pair,) = comparability_of([own, other]).pairs
    if pair.agreement is Agreement.SAME or _is_same(pair, Aspect.DATASET):
        return True
    one, two = effective(own), effective(other)
    models = [text(value_of(settings, "base_model")) for settings in (one, two)]
    if models[0] is not None and models[0] == models[1] and _is_same(pair, Aspect.METHOD):
        return True
    if set(own.files) & set(other.files):
        return True
    equal = [value_of(one, key) == value_of(two, key) for key in one.keys() & two.keys()]
    return _are_of_one_sweep(own, other) and 2 * sum(equal) > len(equal)


def _is_same(pair: Pair, aspect: Aspect) -> bool:
    return aspect in pair.having(Agreement.SAME)


def _are_of_one_sweep(own: RunSummary, other: RunSummary) -> bool:
    if not own.files or not other.files:
        return False
    one, two = (PurePosixPath(run.files[0]).parent for run in (own, other))
    return one != two and one.parent == two.parent and _uncounted(one.name) == _uncounted(two.name)


def _uncounted(name: str) -> str:
    return _WORD.sub(lambda found: "#" if _DIGIT.search(found[0]) else found[0], name)


def stored_best(run: RunSummary, metric: str | None) -> float | None:
    """What is stored of a run's best value of a metric; ``None`` where nothing is, or it may be of another metric."""
    if metric == EVAL_LOSS:
        return eval_loss_of(run)
    named = text(value_of(effective(run), "metric_for_best_model"))
    return finite(run.extra.get("best_metric")) if named is not None and metric in (named, f"eval_{named}") else None
