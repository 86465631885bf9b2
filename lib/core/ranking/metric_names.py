"""What the name of an evaluation metric says: what it measures, which direction is better, whether it may decide."""

from __future__ import annotations

import re
from types import MappingProxyType

from lib.core.facts.metrics import METRICS, Better, is_of_evaluations
from lib.core.facts.scores import KNOWN

EVAL_LOSS = "eval_loss"
REWARD = "reward"
EVAL_REWARD = "eval_reward"

_NAMED_SET = re.compile(r"eval[_/](?P<name>.+)[_/]loss")
"""The loss on an evaluation set that has a name; behind a slash where each set has a part of the row to itself."""

_PART = re.compile(r"[A-Za-z0-9]+")

_NO_SHARES = frozenset((
    "loss", "perplexity", "error", "mae", "mse", "rmse", "nll", "ppl", "bpb", "bpc", "brier", "reward", "rewards", "r2",
    "margins", "psnr",
))  # fmt: skip
"""Known names of what has no fixed range: 0.8 and 2.0 of it may well be of one scale."""

_SHORT = 3
"""A name of so few letters is found in words of another meaning ("power", "certainty"): what else the part holds must
be one of ``_BESIDE`` or a number."""
_BESIDE = frozenset(
    ("", "score", "scores", "roc", "pr", "avg", "mean", "micro", "macro", "weighted", "at", "top", "k", "test", "val")
)
_PAIRS = MappingProxyType({("exact", "match"): "exactmatch", ("win", "rate"): "winrate", ("win", "rates"): "winrate"})

_SPLITS = frozenset(("eval", "evaluation", "val", "valid", "validation", "test", "dev"))
"""Parts of a name that say what was evaluated on, and not what was measured."""
_OF_LOSS = frozenset(("perplexity", "ppl", "loss", "nll", "bpb", "bpc"))
_SPREADS = frozenset(("std", "stderr", "sem", "var", "variance", "stddev", "ci"))
"""Last parts of a name that is of the spread of something."""
_NOT_QUALITY = frozenset((
    "runtime", "second", "seconds", "time", "samples", "steps", "step", "epoch", "tokens", "count", "counts", "support",
    "length", "logps", "logits", "num", "batches", "memory", "gib", "gb", "flops", "flos", "lr", "threshold",
))  # fmt: skip
"""Parts of a name that is of a time, of an amount, or of what goes into a loss."""


def may_decide(metric: str) -> bool:
    """Whether a metric is of evaluations and of the quality of a model; its direction may still be unknown.

    Of ``rewards/...`` only accuracies and margins are.

    Example:
        >>> may_decide("eval_macro-f1"), may_decide("eval_runtime"), may_decide("eval_rewards/chosen")
        (True, False, False)
        >>> may_decide("val/f1"), may_decide("metrics/mAP50(B)"), may_decide("val_samples")
        (True, True, False)
    """
    if metric in METRICS:
        return METRICS[metric].evaluated
    if not is_of_evaluations(metric):
        return False
    parts = _parts(metric)
    parts = parts[1:] if parts[0] in _SPLITS else [part for part in parts if part not in _SPLITS]
    if not parts or parts[-1] in _SPREADS or _NOT_QUALITY & set(parts):
        return False
    return "rewards" not in parts[:-1] or parts[-1] in ("accuracies", "margins")


def is_candidate(metric: str) -> bool:
    """Whether a ranking may ask for it: ``may_decide``, or the reward that stands in where none was evaluated."""
    return metric == REWARD or may_decide(metric)


def direction_in(metric: str) -> Better | None:
    """The direction that a name tells; ``None`` where it tells none. The last part that is known counts.

    Example:
        >>> direction_in("eval_macro-avg-f1score"), direction_in("eval_f1_loss"), direction_in("eval_power")
        ('higher', 'lower', None)
    """
    word = _word_in(metric)
    return KNOWN[word] if word is not None else None


def is_share(metric: str) -> bool:
    """Whether a name is of what lies within 0 and 1, or 0 and 100 where it is written in percent.

    Example:
        >>> is_share("val_accuracy"), is_share("eval_wer"), is_share("eval_reward"), is_share("eval_score")
        (True, True, False, False)
    """
    word = _word_in(metric)
    return word is not None and word not in _NO_SHARES


def _word_in(metric: str) -> str | None:
    """The last known name in that of a metric."""
    parts = _parts(metric)
    for at in range(len(parts) - 1, -1, -1):
        pair = _PAIRS.get((parts[at - 1], parts[at])) if at else None
        word = pair or _known_in(parts[at])
        if word is not None:
            return word
    return None


def is_reward(metric: str) -> bool:
    """Whether it is a reward, of evaluations or of training: it compares only where it is the sum of the same."""
    return metric in (REWARD, EVAL_REWARD)


def is_loss(metric: str) -> bool:
    """Whether it is the eval loss, or that of a named evaluation set."""
    return metric == EVAL_LOSS or named_set(metric) is not None


def named_set(metric: str) -> str | None:
    """The evaluation set that a loss is of; ``None`` for every other metric."""
    found = _NAMED_SET.fullmatch(metric)
    return found["name"] if found and may_decide(metric) else None


def follows_from_loss(metric: str) -> bool:
    """Whether it compares only where losses do: a loss, or a perplexity, of whatever evaluation set or part."""
    return is_loss(metric) or (metric in METRICS and METRICS[metric].of_loss) or bool(_OF_LOSS & set(_parts(metric)))


def _parts(metric: str) -> list[str]:
    return [part.casefold() for part in _PART.findall(metric)]


def _known_in(part: str) -> str | None:
    """The longest known name that a part begins or ends with."""
    found = [
        word for word in KNOWN for rest in _rests(part, word) if len(word) > _SHORT or rest in _BESIDE or rest.isdigit()
    ]
    return max(found, key=len, default=None)


def _rests(part: str, word: str) -> list[str]:
    rests = [part.removeprefix(word)] if part.startswith(word) else []
    return [*rests, part.removesuffix(word)] if part.endswith(word) else rests
