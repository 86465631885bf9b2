"""What a negative gap is due to: an eval loss below the train loss is ordinary before it is suspicious.

The train loss of a step is an average over a stretch in which the model still improved, so it lags; and it is
computed with dropout, which evaluations switch off. Only what these leave unexplained may be leakage: evaluation
data that the model was trained on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lib.core.config.base_models import has_no_dropout
from lib.core.config.effective import effective
from lib.core.config.setting import Setting, value_of
from lib.core.curves.metric_curves import MetricCurve
from lib.core.curves.train_window import Window
from lib.core.facts.limits import Count, Limit
from lib.core.facts.runs import RunSummary
from lib.core.facts.values import finite, text
from lib.core.text import formatting

# fmt: off
DROPOUT_LOSS_SHARE = Limit(2.5, "Dropout loss share",
    "Dropout p in all layers raises the train loss by up to this times p, as a share of it: mT5 with p = 0.1 is"
    " observed 12 to 21 % above its eval loss for 7,000 steps.")
LORA_DROPOUT_LOSS_SHARE = Limit(0.5, "LoRA dropout loss share",
    "The same for dropout in LoRA layers: it touches only what the adapter adds to an otherwise whole model.")
USUAL_DROPOUT = Limit(0.1, "Usual dropout",
    "The greatest rate that a run which records none is likely to have: the default of BERT, GPT-2 and T5.")
NOISE_ERRORS = Limit(2.0, "Noise errors",
    "So many standard errors of the window's mean are put down to chance: 95 % of normal means lie within.")
SUM_LEAST = Limit(2.0, "Sum least",
    "From this many times the eval loss on a train loss may be a sum: two batches or processes are the least.")
LAG_POINTS = Count(5, "Lag points",
    "The pace at which the train loss fell, and its noise, are taken from a line through so many values up to the"
    " best evaluation, or through the window where that has more.")
MIN_LAG_POINTS = Count(3, "Min lag points", "A line through fewer values leaves no residual to take the noise from.")
# fmt: on

_DROPOUT_KEYS = (
    "dropout", "dropout_rate", "hidden_dropout", "hidden_dropout_prob", "attention_dropout",
    "attention_probs_dropout_prob", "resid_pdrop", "attn_pdrop", "embd_pdrop", "residual_dropout",
)  # fmt: skip
_DROPOUT_SECTIONS = ("", "model.", "training.")


class Explanation(StrEnum):
    """What a negative gap is due to."""

    EXPLAINED = "explained by averaging and dropout"
    NOT_EXPLAINED = "not explained: potential leakage"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class NegativeGap:
    """A negative gap and what may explain it.

    Attributes:
        explanation: The verdict.
        size: How far the eval loss is below the train loss, in the unit of the loss, above 0.
        sentence: For people.
    """

    explanation: Explanation
    size: float
    sentence: str


def explain_negative_gap(run: RunSummary, train: MetricCurve, window: Window, gap: float) -> NegativeGap:
    """Weigh a gap below 0 against lag, chance and dropout.

    Args:
        run: Its configuration and base model say what is known of dropout.
        train: The complete train loss.
        window: The values of it that the gap was taken from.
        gap: Eval loss less the window's mean, below 0.
    """
    size = -gap
    averaging = _lag_and_noise(train, window)
    dropout, possible = (share * abs(window.mean) for share in _dropout_shares(run))
    certain, most = (averaging or 0.0) + dropout, (averaging or 0.0) + possible
    causes = "Averaging while the model improves" + (", chance and dropout" if dropout else " and chance")
    if size <= certain:
        explanation = Explanation.EXPLAINED
        said = f"{causes} explain that: they make up to {formatting.loss(certain)}."
    elif averaging is None:
        explanation = Explanation.CANNOT_TELL
        said = "Too few train losses are logged to tell whether averaging explains that."
    elif size <= most:
        explanation = Explanation.CANNOT_TELL
        said = (
            f"{causes} explain {formatting.loss(certain)} of it. Dropout could explain the rest, but not all of its"
            " rates are recorded, so whether data leaked cannot be told."
        )
    else:
        explanation = Explanation.NOT_EXPLAINED
        said = (
            f"Averaging while the model improves, chance and dropout explain at most {formatting.loss(most)} of it:"
            f" potential leakage, or {_other_cause(window.mean, size)}."
        )
    return NegativeGap(explanation, size, said)


def _other_cause(train_loss: float, size: float) -> str:
    """What else such a gap may come from: data alone hardly make a train loss a multiple of the eval loss."""
    if 0.0 < SUM_LEAST * (train_loss - size) <= train_loss:
        return "a train loss that is a sum over batches or processes"
    return "evaluation data that are easier than the training data"


def _lag_and_noise(train: MetricCurve, window: Window) -> float | None:
    """How far the train loss fell from the middle of what the window averages to its last step, with its noise.

    A logged value is itself taken as an average over the steps since the one before. ``None`` where too few are
    logged.
    """
    known = train.finite()
    end = int(np.searchsorted(known.step, window.last_step, side="right"))
    start = max(end - max(window.points, LAG_POINTS), 0)
    steps, values = known.step[start:end].astype(np.float64), known.value[start:end]
    if len(steps) < MIN_LAG_POINTS:
        return None
    since = steps - window.last_step
    # A line has no scale; dividing first keeps the squares of a diverged loss from overflowing.
    scale = float(np.abs(values).max()) or 1.0
    values = values / scale
    pace, level = np.polyfit(since, values, 1)
    residual = values - (pace * since + level)
    spread = math.sqrt(float(residual @ residual) / (len(values) - 2))
    interval = float(np.median(np.diff(steps)))
    lag = pace * (since[-window.points :].mean() - interval / 2.0)
    return scale * (max(float(lag), 0.0) + NOISE_ERRORS * spread / math.sqrt(window.points))


def _dropout_shares(run: RunSummary) -> tuple[float, float]:
    """By which share of it dropout raises the train loss: as far as it is recorded, and at most."""
    settings = effective(run)
    rates = (_rate(settings, section + key) for key in _DROPOUT_KEYS for section in _DROPOUT_SECTIONS)
    model = max((rate for rate in rates if rate is not None), default=None)
    if model is None and has_no_dropout(text(value_of(settings, "base_model"))):
        model = 0.0
    adapter = _rate(settings, "lora_dropout")
    if adapter is None and "lora_r" not in settings:
        adapter = 0.0
    recorded = DROPOUT_LOSS_SHARE * (model or 0.0) + LORA_DROPOUT_LOSS_SHARE * (adapter or 0.0)
    unrecorded = DROPOUT_LOSS_SHARE * (model is None) + LORA_DROPOUT_LOSS_SHARE * (adapter is None)
    return recorded, recorded + unrecorded * USUAL_DROPOUT


def _rate(settings: Mapping[str, Setting], key: str) -> float | None:
    value = finite(value_of(settings, key))
    return value if value is not None and 0.0 <= value < 1.0 else None
