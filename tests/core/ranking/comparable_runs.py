"""Runs that are told apart by their settings, for tests of what compares."""

from __future__ import annotations

import numpy as np

from lib.core.aspects.facts import Agreement
from lib.core.curves.metric_curves import complete_curve
from lib.core.facts.runs import RunSummary
from lib.core.ranking.comparability import comparability_of

SAME, DIFFERENT, UNSURE = Agreement

UUID_A = "5f3a9c1e-0000-4000-8000-00000000abcd"
UUID_B = "77aa0b2c-1111-4111-8111-11111111dcba"
LLAMA_3_8B, LLAMA_3_70B = "meta-llama/Meta-Llama-3-8B", "meta-llama/Meta-Llama-3-70B"

COMPLETE = {
    "method": "sft", "dataset": "tatsu-lab/alpaca", "eval_split": 0.1, "base_model": LLAMA_3_8B, "max_length": 2048,
    "packing": False, "completion_only_loss": True,
}  # fmt: skip
"""A configuration that leaves nothing open."""


def run_of(run_id="a", columns=None, **config):
    """A run whose configuration is ``COMPLETE`` but for ``config``; a key of ``...`` is left out."""
    merged = {key: value for key, value in {**COMPLETE, **config}.items() if value is not ...}
    return RunSummary(run_id=run_id, name=run_id, config={"training": merged}, **(columns or {}))


def pair_of(first, second):
    (pair,) = comparability_of([first, second]).pairs
    return pair


def agreement_in(pair, key):
    return pair.aspects[key].agreement if key in pair.aspects else None


NO_SPLIT = {"eval_split": ...}
DPO, GRPO = {"method": "dpo", "beta": 0.1}, {"method": "grpo"}
CLASSIFIER = {"method": ..., "task_type": "SEQ_CLS"}


def LABELS(count):
    return {**CLASSIFIER, "num_labels": count}


def curve(values):
    steps = np.arange(len(values)) * 10
    unknown = np.full(len(values), np.nan)
    return complete_curve(steps, np.array(values, dtype=np.float64), unknown, unknown)
