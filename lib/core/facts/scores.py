"""Names of metrics that everybody knows, each with the direction that is better."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

LOWER = ("loss", "perplexity", "error", "wer", "cer", "mae", "mse", "rmse", "nll", "ppl", "bpb", "bpc", "brier")
HIGHER = (
    "accuracy", "accuracies", "acc", "f1", "precision", "recall", "auc", "auroc", "map", "bleu", "rouge", "meteor",
    "exactmatch", "reward", "rewards", "winrate", "winrates", "r2", "correlation", "margins", "iou", "miou", "dice",
    "psnr", "ssim", "mcc", "ndcg", "mrr", "top1", "top5", "pearson", "spearman", "kendall",
)  # fmt: skip

KNOWN: Mapping[str, Literal["lower", "higher"]] = MappingProxyType(
    {**dict.fromkeys(LOWER, "lower"), **dict.fromkeys(HIGHER, "higher")}
)

_OF_TRAINING = frozenset(("reward", "rewards", "margins", "map"))
"""Known names that a program may well give to what each training step measures, or to something else altogether."""
_NUMBERED = re.compile(r"([a-z]+)\d{1,3}")


def has_score(words: Iterable[str]) -> bool:
    """Whether one of some words, in small letters, is the name of a score or a loss, with a number or without.

    Example:
        >>> has_score(["macro", "f1"]), has_score(["rouge2"]), has_score(["json"]), has_score(["reward"])
        (True, True, False, False)
    """
    return any(_is_score(word) for word in words)


def _is_score(word: str) -> bool:
    found = _NUMBERED.fullmatch(word)
    return any(each in KNOWN and each not in _OF_TRAINING for each in (word, found[1] if found else word))
