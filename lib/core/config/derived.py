"""Settings that follow from others (effective batch, warm-up, LoRA scaling), and what only a neighbour states."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from lib.core.config.notes import is_column, product_differs
from lib.core.config.parameters import PARAMETERS, Group
from lib.core.config.setting import Oddity, Remark, Setting, title_of, value_of
from lib.core.config.values import MISSING, Comparison, comparable
from lib.core.facts.runs import RunSummary
from lib.core.facts.values import finite, whole

LAST_RATE = "column learning_rate"
DIGITS = 4
"""Significant digits of a derived fraction: more would be noise of its arithmetic, and is not compared."""

_LAST_RATE_NOTE = (
    "No configured learning rate was found: this is the last scheduled value in the job's column learning_rate,"
    " which is near 0 at the end of a run."
)


@dataclass(frozen=True, slots=True)
class EffectiveBatch:
    """How many samples a run takes at a time.

    Attributes:
        batch: Samples per device and forward pass; ``None`` when unknown.
        effective: Samples per optimizer step; ``None`` when unknown.
        source: How ``effective`` was found, in words; "" when it is unknown.
    """

    batch: int | None
    effective: int | None
    source: str


def fall_back(run: RunSummary, settings: dict[str, Setting]) -> None:
    """Fill in what only a neighbouring parameter states."""
    rate = settings.get("learning_rate")
    if rate is None or rate.value is None:
        peak = settings.get("max_learning_rate")
        if peak is not None and peak.value is not None:
            settings["learning_rate"] = replace(peak, key="learning_rate", remarks=())
        elif rate is None and run.learning_rate is not None:
            remark = Remark(Oddity.REMARK, _LAST_RATE_NOTE)
            settings["learning_rate"] = Setting(
                "learning_rate", run.learning_rate, LAST_RATE, Group.OPTIMIZER, remarks=(remark,)
            )
    named = settings.get("model_name")
    if "base_model" not in settings and named is not None and named.value not in (None, run.name):
        settings["base_model"] = replace(named, key="base_model", group=Group.MODEL, comparison=Comparison.VALUE)


def derive(settings: dict[str, Setting], total_steps: int | None = None) -> None:
    """Add what follows from other settings. What the configuration states itself is left as it is.

    A derived value is ``MISSING`` where it cannot be worked out; its source then says why.

    Args:
        settings: By canonical name; added to.
        total_steps: How many optimizer steps the run was to make; ``None`` when unknown.
    """
    _add_batch(settings)
    _add_bits(settings)
    _add_scaling(settings)
    _add_warmup(settings, total_steps)
    _add_tokens(settings)


def _add(settings: dict[str, Setting], key: str, value: float | str | None, source: str) -> None:
    if isinstance(value, float):
        value = float(f"{value:.{DIGITS}g}")
    known, shown = PARAMETERS[key], MISSING if value is None else value
    settings.setdefault(key, Setting(key, shown, source, known.group, known.comparison, derived=True))


def _add_batch(settings: dict[str, Setting]) -> None:
    """How many samples one optimizer step sees: samples per device * accumulated batches * devices.

    A number of devices of 0 trains on the CPU, as one device.
    """
    if "batch_size" not in settings:
        return
    batch, batch_text = _factor(settings, "batch_size")
    accumulation, accumulation_text = _factor(settings, "gradient_accumulation_steps")
    gpus, gpus_text = _factor(settings, "num_gpus")
    product = None if batch is None or accumulation is None or gpus is None else batch * accumulation * max(gpus, 1)
    source = f"derived: {batch_text} × {accumulation_text} × {gpus_text}"
    stated = settings.get("effective_batch_size")
    if stated is None:
        _add(settings, "effective_batch_size", product, source)
    elif batch is not None:
        value = MISSING if product is None else product
        remark = product_differs(stated, product, source)
        settings["effective_batch_size"] = replace(
            stated,
            value=value,
            source=source,
            places=((source, value), *stated.places),
            remarks=(remark,) if remark else (),
            derived=True,
        )


def _add_bits(settings: dict[str, Setting]) -> None:
    """Bits of the quantization and the switch for them imply one another."""
    bits = settings.get("quantization")
    if bits is None:
        for number in (4, 8):
            if value_of(settings, f"load_in_{number}bit") is True:
                source = settings[f"load_in_{number}bit"].source
                _add(settings, "quantization", f"{number}-bit", f"derived from {source}")
    elif comparable(bits.value, Comparison.BITS) == ("bits", 4) and "load_in_8bit" not in settings:
        _add(settings, "load_in_4bit", True, f"derived from {bits.source}")


def _add_scaling(settings: dict[str, Setting]) -> None:
    """What the adapter's output is multiplied by: alpha / r, with rsLoRA alpha / √r (PEFT, ``LoraLayer``)."""
    alpha, rank = settings.get("lora_alpha"), settings.get("lora_r")
    if alpha is None or rank is None or alpha.value is None or rank.value is None:
        return
    root = value_of(settings, "use_rslora") is True
    above, below = finite(alpha.value), finite(rank.value)
    source = f"derived: {alpha.source} / {'√' if root else ''}{rank.source}"
    if above is None or below is None or below <= 0:
        _add(settings, "lora_scaling", None, f"{source} is no number")
    else:
        _add(settings, "lora_scaling", above / (math.sqrt(below) if root else below), source)


def _add_warmup(settings: dict[str, Setting], total_steps: int | None) -> None:
    """Warm-up as the Hugging Face trainer takes it: steps if above 0, else the ratio of all steps, rounded up.

    A number of steps between 0 and 1 is a share (``TrainingArguments.warmup_steps`` of transformers 5). A
    column of steps gives way to a ratio in the configuration, from which it was worked out.
    """
    stated, ratio = settings.get("warmup_steps"), settings.get("warmup_ratio")
    steps, share = finite(value_of(settings, "warmup_steps")), finite(value_of(settings, "warmup_ratio"))
    if steps is None and share is None:
        return
    limit = whole(value_of(settings, "max_steps"))
    total = limit if limit is not None and limit > 0 else total_steps
    outweighed = stated is not None and is_column(stated) and ratio is not None and not is_column(ratio)
    by_ratio = bool(share) and (not steps or outweighed)
    counted = ratio if by_ratio or stated is None else stated
    source = "" if counted is None else counted.source
    if not by_ratio:
        share = 0.0 if not steps else steps if 0 < steps < 1 else None
    exact: float | None
    if share is not None:
        exact = math.ceil(total * share) if total else None if share else 0
    else:
        exact, share = steps, steps / total if total and steps is not None and steps >= 0 else None
    if exact is None and by_ratio and steps and stated is not None:
        exact, source = steps, f"{stated.source}, {source}"
    for key, value in (("warmup_in_effect", exact if whole(exact) is None else whole(exact)), ("warmup_share", share)):
        unknown = ", all steps not known" if value is None else ""
        _add(settings, key, value, f"derived: {source}{unknown}")


def _add_tokens(settings: dict[str, Setting]) -> None:
    """The most tokens that one optimizer step can see: all of them with packing, fewer without."""
    samples, tokens = whole(value_of(settings, "effective_batch_size")), whole(value_of(settings, "max_seq_length"))
    if samples is not None and tokens is not None and tokens > 0:
        source = f"derived: effective batch size × {settings['max_seq_length'].source}"
        _add(settings, "tokens_per_step", samples * tokens, source)


def batch_of(settings: Mapping[str, Setting]) -> EffectiveBatch:
    """The batch sizes in settings that were derived."""
    batch, _ = _factor(settings, "batch_size")
    product = whole(value_of(settings, "effective_batch_size"))
    return EffectiveBatch(batch, product, "" if product is None else settings["effective_batch_size"].source)


def gpus_of(settings: Mapping[str, Setting]) -> int | None:
    """How many GPUs the settings of a run state; ``None`` where they state no number of them."""
    return None if value_of(settings, "num_gpus") is None else _factor(settings, "num_gpus")[0]


def _factor(settings: Mapping[str, Setting], key: str) -> tuple[int | None, str]:
    """A factor of the effective batch size, and where it is from; ``None`` where it is no whole number."""
    setting = settings.get(key)
    if setting is None or setting.value is None:
        title = title_of(key).lower() if key != "num_gpus" else "GPUs"
        return (None, "batch size not set") if key == "batch_size" else (1, f"1 (default for {title})")
    # "devices: [0, 1]" lists the devices.
    listed = key == "num_gpus" and isinstance(setting.value, tuple)
    value = len(setting.value) if listed else whole(setting.value)
    if value is None or value < 0:
        return None, f"{setting.source} (not a number of samples, steps or devices)"
    return value, setting.source
