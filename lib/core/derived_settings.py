"""Settings that follow from others: the effective batch size, and what only a neighbour states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lib.core.config_notes import product_differs
from lib.core.config_setting import Setting, title_of
from lib.core.parameters import Group
from lib.core.runs import RunSummary
from lib.core.setting_values import MISSING, Comparison
from lib.core.values import whole

LAST_RATE = "column learning_rate"
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
            settings["learning_rate"] = replace(peak, key="learning_rate", notes=(), contradicted=False)
        elif rate is None and run.learning_rate is not None:
            settings["learning_rate"] = Setting(
                "learning_rate", run.learning_rate, LAST_RATE, Group.OPTIMIZER, notes=(_LAST_RATE_NOTE,)
            )
    named = settings.get("model_name")
    if "base_model" not in settings and named is not None and named.value not in (None, run.name):
        settings["base_model"] = replace(named, key="base_model", group=Group.MODEL, comparison=Comparison.VALUE)


def derive(settings: dict[str, Setting]) -> None:
    """Add what follows from other settings: the effective batch size, and the bits of the quantization."""
    batch = batch_of(settings)
    stated = settings.get("effective_batch_size")
    if "batch_size" in settings and (stated is None or batch.batch is not None):
        value = MISSING if batch.effective is None else batch.effective
        note = product_differs(stated.source, stated.value, batch.effective, batch.source) if stated else None
        settings["effective_batch_size"] = Setting(
            "effective_batch_size",
            value,
            batch.source,
            Group.BATCH,
            notes=(note,) if note else (),
            contradicted=note is not None,
            derived=True,
        )
    if "quantization" not in settings:
        for bits in (4, 8):
            loaded = settings.get(f"load_in_{bits}bit")
            if loaded is not None and loaded.value is True:
                settings["quantization"] = Setting(
                    "quantization",
                    f"{bits}-bit",
                    f"derived from {loaded.source}",
                    Group.PRECISION,
                    Comparison.BITS,
                    derived=True,
                )
                break


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
