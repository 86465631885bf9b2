"""What a metric is called in a chart, whatever a trainer calls it."""

from __future__ import annotations

import re

from lib.core.facts.foreign import isolated
from lib.core.facts.metrics import METRICS
from lib.core.verdict.metric_words import metric_name

_EVALUATION = re.compile(r"^eval[_/](?=.)")


def metric_title(key: str) -> str:
    """A metric without its unit: as the catalogue calls it, else in the verdict's words, part by part.

    Example:
        >>> metric_title("eval_macro-avg-f1score"), metric_title("grad_norm"), metric_title("rewards/chosen")
        ('Macro avg F1', 'Gradient norm', 'Rewards / chosen')
    """
    if key in METRICS:
        return METRICS[key].title
    parts = [part for part in _EVALUATION.sub("", key).split("/") if part.strip()]
    # A part that is "loss" alone is the loss of something else than evaluations.
    words = " / ".join("loss" if part == "loss" else metric_name(f"eval_{part}") for part in parts)
    return words[:1].upper() + words[1:] if words else isolated(key)


def axis_title(key: str) -> str:
    """The same with its unit."""
    known = METRICS.get(key)
    return known.axis_title if known else metric_title(key)
