"""What a metric is called in a chart, whatever a trainer calls it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from lib.core.facts.foreign import legible
from lib.core.facts.metrics import METRICS
from lib.core.ranking.metric_names import named_set
from lib.core.text.looks import apart, look
from lib.core.verdict.metric_words import metric_name

_EVALUATION = re.compile(r"^eval[_/](?=.)")


def metric_title(key: str) -> str:
    """A metric without its unit: as the catalogue calls it, else in the verdict's words, part by part.

    Example:
        >>> metric_title("eval_macro-avg-f1score"), metric_title("grad_norm"), metric_title("rewards/chosen")
        ('Macro avg F1', 'Gradient norm', 'Rewards / chosen')
        >>> metric_title("eval_alpha_loss"), metric_title("train/box_loss"), metric_title("test_loss")
        ('Eval loss on alpha', 'Train / box loss', 'Test loss')
    """
    if key in METRICS:
        return METRICS[key].title
    parts = [part for part in _EVALUATION.sub("", key).split("/") if part.strip()]
    words = " / ".join(_words(part, is_evaluated=bool(_EVALUATION.match(key))) for part in parts)
    return words[:1].upper() + words[1:] if words else legible(key)


def _words(part: str, *, is_evaluated: bool) -> str:
    """A loss is that of evaluations only where the name says so: "box_loss" is a part of a train loss too."""
    is_loss = part == "loss" or (not is_evaluated and named_set(f"eval_{part}") is not None)
    return legible(part.replace("_", " ")) if is_loss else metric_name(f"eval_{part}")


def axis_title(key: str) -> str:
    """The same with its unit."""
    known = METRICS.get(key)
    return known.axis_title if known else metric_title(key)


def own_titles(metrics: Iterable[str]) -> dict[str, str]:
    """The titles of metrics that stand together: where several would have one title, what the program called them.

    Example:
        >>> own_titles(["eval_token_acc", "token_acc", "f1"])
        {'eval_token_acc': 'eval_token_acc', 'token_acc': 'token_acc', 'f1': 'F1'}
    """
    titles = {metric: axis_title(metric) for metric in metrics}
    often = Counter(map(look, titles.values()))
    own = {metric: title if often[look(title)] == 1 else legible(metric) for metric, title in titles.items()}
    return dict(zip(own, apart([*own.values()], [*own]), strict=True))
