"""What a deciding metric and its values are called."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from lib.core.checks.check import and_more
from lib.core.facts.foreign import isolated, legible
from lib.core.facts.limits import Limit
from lib.core.facts.metrics import metric_of
from lib.core.facts.runs import RunSummary
from lib.core.noise.best_set import Compared
from lib.core.ranking.deciding import Basis, Deciding
from lib.core.ranking.decision import Decision
from lib.core.ranking.metric_names import EVAL_LOSS, REWARD, is_share, named_set
from lib.core.ranking.scoring import Recommendation, RunScore, lead_of
from lib.core.ranking.values import RunValues
from lib.core.text import formatting
from lib.core.text.phrases import counted, in_sentence
from lib.core.text.precision import measured, together

BASES: Mapping[Basis, str] = MappingProxyType(
    {
        Basis.CHOSEN: "it was chosen",
        Basis.OWN_CHOICE: "the runs chose their own best checkpoint by it",
        Basis.EVAL_LOSS: "nothing says by what the runs chose their best checkpoint, and the loss measures fit to data",
        Basis.NAMED_SET: "it is the only kind of eval loss that was logged",
        Basis.EVAL_REWARD: "these runs maximise a reward",
        Basis.TRAIN_REWARD: "these runs maximise a reward, and no evaluation measured it",
        Basis.NONE: "",
    }
)
"""Why a metric decides, as the end of a sentence."""


# fmt: off
IN_PERCENT = Limit(1.5, "In percent",
    "A score whose best value is above this is not a share of 1, whatever rounding or an insertion error adds to one.")
# fmt: on

_TRAIN_LOSS = "train_loss"
_NAME_LIMIT = 40
"""Characters of the name that a program gave a metric."""


def metric_words(metric: str | None) -> str:
    """A metric in a sentence.

    Example:
        >>> metric_words("eval_loss"), metric_words("eval_alpha_loss"), metric_words("eval_f1")
        ('eval loss', 'eval loss on alpha', 'eval_f1')
    """
    if metric in (None, EVAL_LOSS):
        return "eval loss"
    if metric == REWARD:
        return "mean reward at the end of training"
    name = named_set(metric or "")
    return f"eval loss on {legible(name)}" if name is not None else legible(metric or "")


_ACRONYMS = frozenset(("auc", "bleu", "cer", "em", "f1", "mae", "map", "mcc", "mrr", "mse", "rmse", "rouge", "wer"))


def metric_name(metric: str | None) -> str:
    """A metric as it is said: without the prefix that every evaluation has.

    Example:
        >>> metric_name("eval_macro-f1score"), metric_name("eval_loss"), metric_name("eval_alpha_loss")
        ('macro F1', 'eval loss', 'eval loss on alpha')
    """
    words = metric_words(metric)
    if not words.startswith(("eval_", "eval/")):
        return words
    parts = [part for part in re.split(r"[_\-/\s]+", words[len("eval_") :]) if part]
    told = [part[: -len("score")] if part[: -len("score")].casefold() in _ACRONYMS else part for part in parts]
    return " ".join(part.upper() if part.casefold() in _ACRONYMS else part for part in told) or words


def values_shown(decision: Decision) -> dict[str, str]:
    """The values of the deciding metric, of every run that has one, all with the digits that their noise allows.

    What says one of them anywhere takes it from here, so that a value is written in one way.
    """
    values = {run_id: each.value for run_id, each in decision.values.items() if run_id not in _apart(decision)}
    estimates = (decision.contest.estimate(run_id) for run_id in decision.ranked)
    shown = together(list(values.values()), [None if one is None else one.error for one in estimates])
    return dict(zip(values, shown, strict=True))


def _apart(decision: Decision) -> frozenset[str]:
    return frozenset(run_id for other in decision.other_classes for run_id in other.run_ids)


def best_word(deciding: Deciding) -> str:
    """Which value of it is best."""
    return "highest" if deciding.better == "higher" else "lowest"


def margin_words(recommendation: Recommendation) -> str:
    """How far the winner is ahead of the runner-up; "" without one, and where settings win."""
    winner, runner_up = recommendation.winner, recommendation.runner_up
    if winner is None or runner_up is None or recommendation.settings:
        return ""
    return lead_words(winner, runner_up, recommendation.deciding)


def difference_words(compared: Compared, deciding: Deciding) -> str:
    """How far one of two is behind the other in the deciding metric."""
    return f"{measured(compared.difference.value, compared.difference.error)} of {metric_name(deciding.metric)}"


def lead_words(first: RunScore, second: RunScore, deciding: Deciding) -> str:
    """How far one run is ahead of another, in points or in the deciding metric."""
    lead = lead_of(first, second)
    if first.total is None:
        return f"{measured(lead)} of {metric_name(deciding.metric)}"
    return f"{lead:.2f} points" if lead >= 0.01 else "less than 0.01 points"


def shown_score(score: RunScore) -> str:
    """The composite, or the value of the deciding metric where there is none."""
    return formatting.loss(score.value) if score.total is None else formatting.points(score.total)


def apart(first: float, second: float) -> tuple[str, str]:
    """Two values of a metric, with as many digits as they need to look different."""
    shown = formatting.loss(first), formatting.loss(second)
    return formatting.told_apart(first, second, 4) if shown[0] == shown[1] else shown


def at_step(values: RunValues) -> str:
    """Where a run is at its best, as it stands behind the value."""
    unit = "epoch" if values.in_epochs else "step"
    return "" if values.step is None else f" at {unit} {formatting.count(values.step)}"


def others_logged(deciding: Deciding, call: Callable[[str], str] = metric_name) -> str:
    """The other metrics that may be chosen; "" for none.

    Args:
        deciding: The choice among them.
        call: What a metric is called: as it is said, or ``legible`` for whoever has to type it.
    """
    # Two may be called alike: what differs in their names may be how these are written.
    others = [*dict.fromkeys(call(each.metric) for each in deciding.candidates if each.metric != deciding.metric)]
    if not others:
        return ""
    shown, more = others[:3], len(others) - 3
    further = f" and {counted(more, 'other', 'others')}" if more > 0 else ""
    return f"Also logged: {', '.join(shown)}{further}."


def read_by_guess(decision: Decision, runs: Sequence[RunSummary], labels: Mapping[str, str]) -> str:
    """That a metric which the ranking rests on was taken for it by a guess; "" where none was.

    Args:
        decision: About these runs, with a recommended one: "it" in the sentence.
        runs: The runs.
        labels: What they are called in a sentence, by run id.
    """
    winner = decision.recommendation.run_id
    gap = (EVAL_LOSS, _TRAIN_LOSS) if decision.recommendation.gaps_count else ()
    metrics = [*filter(None, (decision.deciding.metric,)), *gap]
    read_as = {run.run_id: run.read_as for run in runs}
    order = dict.fromkeys((*filter(None, (winner,)), *decision.ranked))
    found = [
        (run_id != winner, metrics.index(each.metric), run_id, each)
        for run_id in order
        for each in read_as.get(run_id, ())
        if each.guessed and each.metric in metrics
    ]
    if not found:
        return ""
    is_other, _, run_id, first = min(found, key=lambda guess: guess[:2])
    words = in_sentence(metric_of(first.metric).title)
    whose = f"The {words} of {labels[run_id]}" if is_other else f"Its {words}"
    name = isolated(formatting.shorten(first.name, _NAME_LIMIT))
    return f'{whose} is read from "{name}", which is a guess.{and_more(len(found))}'


def unlike_scales(decision: Decision, labels: Mapping[str, str]) -> str:
    """That one ranked run may have its scores in percent and another as shares; "" where nothing says so.

    Args:
        decision: With the ranked runs.
        labels: What they are called in a sentence, by run id.
    """
    found, metric = decision.contest, decision.deciding.metric
    if metric is None or not is_share(metric):
        return ""
    ends = {
        run_id: sorted((found.raw[run_id], found.worst[run_id])) for run_id in decision.ranked if run_id in found.raw
    }
    shares = [run_id for run_id, (low, high) in ends.items() if low >= 0.0 and high <= 1.0]
    percents = [
        run_id
        for run_id, (low, high) in ends.items()
        if low >= 0.0 and high <= 100.0 and found.raw[run_id] > IN_PERCENT
    ]
    if not shares or not percents:
        return ""
    words, percent, share = metric_name(metric), labels[percents[0]], labels[shares[0]]
    return f"The {words} of {percent} may be in percent, that of {share} a share of 1: their values do not compare."
