"""What a metric is called where people read it, whatever a trainer calls it."""

from __future__ import annotations

import re

from lib.core.facts.foreign import isolated
from lib.core.facts.metrics import METRICS

_EVALUATION = re.compile(r"^eval[_/](?=.)")
_WORDS = {
    "f1": "F1", "f1score": "F1 score", "auc": "AUC", "map": "mAP", "bleu": "BLEU", "rouge": "ROUGE", "mse": "MSE",
    "mae": "MAE", "rmse": "RMSE", "wer": "WER", "cer": "CER", "gpu": "GPU", "avg": "average",
}  # fmt: skip
"""Words of names that are written otherwise in a text."""


def metric_title(key: str) -> str:
    """A metric in words, without its unit; one that the catalogue knows by its title there.

    Example:
        >>> metric_title("eval_macro-avg-f1score"), metric_title("grad_norm"), metric_title("eval_rewards/chosen")
        ('Macro average F1 score', 'Gradient norm', 'Rewards / chosen')
    """
    if key in METRICS:
        return METRICS[key].title
    groups = [[part for part in re.split(r"[_\-\s]+", each) if part] for each in _EVALUATION.sub("", key).split("/")]
    words = " / ".join(" ".join(_WORDS.get(part.lower(), part) for part in group) for group in groups if group)
    return isolated(words[:1].upper() + words[1:]) if words else isolated(key)


def axis_title(key: str) -> str:
    """The same with its unit."""
    known = METRICS.get(key)
    return known.axis_title if known else metric_title(key)
