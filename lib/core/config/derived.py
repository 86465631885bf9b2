"""Settings that follow from others (effective batch, warm-up, LoRA scaling), and what only a neighbour states."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from lib.core.config.notes import is_column, product_differs
from lib.core.config.parameters import Group
from lib.core.config.setting import Oddity, Remark, Setting, title_of
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
    """How many samples one optimizer step sees: ``batch * accumulation * max(gpus, 1)``.

    Attributes:
        batch: Samples per device and forward pass; ``None`` when unknown.
        accumulation: Forward passes per optimizer step, 1 where the run does not say.
        gpus: Devices, 1 where the run does not say; 0 trains on the CPU, as one device.
        effective: The product, or what the configuration states where the batch size is unknown; ``None``
            when neither is known.
        source: How it was found, in words.
    """

    batch: int | None
    accumulation: int | None
    gpus: int | None
    effective: int | None
    source: str


def fall_back(run: RunSummary, settings: dict[str, Setting]) -> None:
    """Fill in what only a neighbouring parameter states."""
    rate = settings.get("learning_rate")
    peak = settings.get("max_learning_rate")
    if rate is None or rate.value is None:
        if peak is not None and peak.value is not None:
            settings["learning_rate"] = replace(peak, key="learning_rate", remarks=())
        elif rate is None and run.learning_rate is not None:
            settings["learning_rate"] = Setting(
                "learning_rate",
                run.learning_rate,
                LAST_RATE,
                Group.OPTIMIZER,
                remarks=(Remark(Oddity.REMARK, _LAST_RATE_NOTE),),
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


def _add(settings: dict[str, Setting], key: str, value: float | int | None, source: str, group: Group) -> None:
    shown = MISSING if value is None else value if isinstance(value, int) else float(f"{value:.{DIGITS}g}")
    settings.setdefault(key, Setting(key, shown, f"derived: {source}", group, derived=True))


def _add_batch(settings: dict[str, Setting]) -> None:
    batch = batch_of(settings)
    stated = settings.get("effective_batch_size")
    if "batch_size" not in settings or (stated is not None and batch.batch is None):
        return
    value = MISSING if batch.effective is None else batch.effective
    remark = product_differs(stated, batch.effective, batch.source) if stated else None
    settings["effective_batch_size"] = Setting(
        "effective_batch_size",
        value,
        batch.source,
        Group.BATCH,
        places=((batch.source, value), *stated.places) if stated else (),
        remarks=(remark,) if remark else (),
        derived=True,
    )


def _add_bits(settings: dict[str, Setting]) -> None:
    """Bits of the quantization and the switch for them imply one another."""
    bits = settings.get("quantization")
    if bits is not None:
        if comparable(bits.value, Comparison.BITS) == ("bits", 4) and settings.get("load_in_8bit") is None:
            settings.setdefault(
                "load_in_4bit",
                Setting("load_in_4bit", True, f"derived from {bits.source}", Group.PRECISION, derived=True),
            )
        return
    for number in (4, 8):
        loaded = settings.get(f"load_in_{number}bit")
        if loaded is not None and loaded.value is True:
            source = f"derived from {loaded.source}"
            settings["quantization"] = Setting(
                "quantization", f"{number}-bit", source, Group.PRECISION, Comparison.BITS, derived=True
            )
            return


def _add_scaling(settings: dict[str, Setting]) -> None:
    """What the adapter's output is multiplied by: alpha / r, with rsLoRA alpha / √r (PEFT, ``LoraLayer``)."""
    alpha, rank = settings.get("lora_alpha"), settings.get("lora_r")
    if alpha is None or rank is None or alpha.value is None or rank.value is None:
        return
    stabilised = settings.get("use_rslora")
    root = stabilised is not None and stabilised.value is True
    above, below = finite(alpha.value), finite(rank.value)
    source = f"{alpha.source} / {'√' if root else ''}{rank.source}"
    if above is None or below is None or below <= 0:
        _add(settings, "lora_scaling", None, f"{source} is no number", Group.LORA)
    else:
        _add(settings, "lora_scaling", above / (math.sqrt(below) if root else below), source, Group.LORA)


def _add_warmup(settings: dict[str, Setting], total_steps: int | None) -> None:
    """Warm-up as the Hugging Face trainer takes it: steps if above 0, else the ratio of all steps, rounded up.

    A number of steps between 0 and 1 is a share (``TrainingArguments.warmup_steps`` of transformers 5). A
    column of steps gives way to a ratio in the configuration, from which it was worked out.
    """
    stated, ratio = settings.get("warmup_steps"), settings.get("warmup_ratio")
    steps = finite(stated.value) if stated else None
    share = finite(ratio.value) if ratio else None
    if steps is None and share is None:
        return
    capped = settings.get("max_steps")
    limit = whole(capped.value) if capped else None
    total = limit if limit is not None and limit > 0 else total_steps
    by_ratio = bool(share) and (not steps or (is_column(stated) and not is_column(ratio)))
    source = ratio.source if by_ratio or stated is None else stated.source
    if not by_ratio:
        share = 0.0 if not steps else steps if 0 < steps < 1 else None
    if share is None:
        exact: float | None = steps
        share = steps / total if total and steps >= 0 else None
    else:
        exact = math.ceil(total * share) if total else 0 if not share else None
    if exact is None and by_ratio and steps:
        exact, source = steps, f"{stated.source}, {source}"
    unknown = f"{source}, all steps not known"
    whole_steps = int(exact) if exact is not None and float(exact).is_integer() else exact
    _add(settings, "warmup_in_effect", whole_steps, source if exact is not None else unknown, Group.SCHEDULE)
    _add(settings, "warmup_share", share, source if share is not None else unknown, Group.SCHEDULE)


def _add_tokens(settings: dict[str, Setting]) -> None:
    """The most tokens that one optimizer step can see: all of them with packing, fewer without."""
    batch, length = settings.get("effective_batch_size"), settings.get("max_seq_length")
    samples = whole(batch.value) if batch else None
    tokens = whole(length.value) if length else None
    if samples is not None and tokens is not None and tokens > 0:
        source = f"effective batch size × {length.source}"
        _add(settings, "tokens_per_step", samples * tokens, source, Group.BATCH)


def batch_of(settings: Mapping[str, Setting]) -> EffectiveBatch:
    """Work out the effective batch size from the settings of a run."""
    batch, batch_text = _factor(settings, "batch_size")
    accumulation, accumulation_text = _factor(settings, "gradient_accumulation_steps")
    gpus, gpus_text = _factor(settings, "num_gpus")
    stated = settings.get("effective_batch_size")
    if batch is None and stated is not None and not stated.derived:
        return EffectiveBatch(None, accumulation, gpus, whole(stated.value), stated.source)
    known = batch is not None and accumulation is not None and gpus is not None
    product = batch * accumulation * max(gpus, 1) if known else None
    source = f"derived: {batch_text} × {accumulation_text} × {gpus_text}"
    return EffectiveBatch(batch, accumulation, gpus, product, source)


def gpus_of(settings: Mapping[str, Setting]) -> int | None:
    """How many GPUs the settings of a run state; ``None`` where they state no number of them."""
    setting = settings.get("num_gpus")
    return None if setting is None or setting.value is None else _factor(settings, "num_gpus")[0]


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
