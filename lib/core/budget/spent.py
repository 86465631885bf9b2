"""What a run has spent at each point of its curves: steps, samples, tokens, hours or money, and how that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lib.core.config.derived import batch_of, gpus_of
from lib.core.config.effective import effective
from lib.core.config.setting import Setting, value_of
from lib.core.curves.axes import TOKEN_METRICS, Axis, Placing, place, why_not
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import RunSummary
from lib.core.facts.values import finite, whole


class Kind(StrEnum):
    """What runs can be compared at equal amounts of. The values are stable: they stand in links."""

    STEPS = "steps"
    SAMPLES = "samples"
    TOKENS = "tokens"
    HOURS = "hours"
    MONEY = "money"


SIGNS = ("$", "€", "£", "¥")
"""Of currencies that a price can be in."""
MOST = 1e15
"""The largest amount, and the largest price."""


@dataclass(frozen=True, slots=True)
class Price:
    """What an hour of one GPU costs, as somebody says; nothing is known of it otherwise.

    Attributes:
        amount: Above 0.
        sign: Of the currency: one of ``SIGNS``.
    """

    amount: float
    sign: str = SIGNS[0]


@dataclass(frozen=True, slots=True)
class Budget:
    """What somebody wants runs to be compared at.

    Attributes:
        at: Kind and amount; ``None`` for the most that all runs reached.
        price: Of a GPU hour; ``None`` where nobody said one, and then nothing is said of money.
    """

    at: tuple[Kind, float] | None = None
    price: Price | None = None


ALL_REACHED = Budget()


def amount_of(text: str) -> tuple[Kind, float]:
    """A kind and an amount from "samples~40000", as links and commands have it.

    Raises:
        ValueError: If it is none.
    """
    kind, _, amount = text.partition("~")
    return Kind(kind), _above_zero(amount)


def price_of(text: str) -> Price:
    """A price from "2.5~$", as links and commands have it.

    Raises:
        ValueError: If it is none.
    """
    amount, _, sign = text.partition("~")
    if sign not in SIGNS:
        raise ValueError(f"expected one of {' '.join(SIGNS)}")
    return Price(_above_zero(amount), sign)


def _above_zero(text: str) -> float:
    value = float(text)
    if not 0.0 < value <= MOST:
        raise ValueError("expected a number above 0")
    return value


@dataclass(frozen=True, slots=True)
class Spent:
    """What one run has spent.

    Attributes:
        placing: From a curve to amounts; ``None`` where they are not known.
        told: How they follow from what was logged, as a sentence without the full stop; "" where they were logged.
        why_not: Why they are not known, as a sentence; "" where they are.
    """

    placing: Placing | None
    told: str = ""
    why_not: str = ""


_AXES = {Kind.STEPS: Axis.STEP, Kind.SAMPLES: Axis.SAMPLES, Kind.TOKENS: Axis.TOKENS, Kind.HOURS: Axis.HOURS}
_PADDED = ("pad_to_max_length", "pad_to_sequence_len", "padding")
"""Settings that may say that every example is padded to the same length."""
_NODES = ("num_nodes", "nnodes", "num_machines")
_OF_ALL_NODES = ("world_size", "num_processes")
_NO_TOKENS = (
    "No token count is logged, and one can be worked out only where examples are packed or padded to a fixed length."
)


def spent(kind: Kind, run: RunSummary, curves: RunCurves, price: Price | None = None) -> Spent:
    """What a run has spent of one kind.

    Args:
        kind: Which.
        run: The run.
        curves: Its curves, the count of tokens among them where it is to be used.
        price: Of a GPU hour; needed for money.
    """
    settings = effective(run)
    if kind is Kind.MONEY:
        return _money(run, curves, settings, price)
    axis, batch = _AXES[kind], batch_of(settings)
    placing = place(curves, axis, run, batch.effective)
    if kind is Kind.TOKENS:
        return _tokens(placing, run, curves, settings)
    if placing is None:
        return Spent(None, why_not=why_not(axis))
    is_derived = kind is Kind.SAMPLES and batch.source
    return Spent(placing, f"Samples are steps × effective batch size ({batch.source})" if is_derived else "")


def _tokens(placing: Placing | None, run: RunSummary, curves: RunCurves, settings: Mapping[str, Setting]) -> Spent:
    if placing is not None:
        is_counted = any(len(curves.get(metric)) for metric in TOKEN_METRICS)
        return Spent(placing, "" if is_counted else "Tokens are steps × all tokens processed ÷ all steps")
    batch, length, fixed = batch_of(settings), whole(value_of(settings, "max_seq_length")), _fixed_length(settings)
    if batch.effective is None or batch.effective <= 0 or length is None or length <= 0 or not fixed:
        return Spent(None, why_not=_NO_TOKENS)
    per_step = batch.effective * length
    return Spent(
        lambda curve: curve.step * float(per_step),
        f"Tokens are derived: steps × effective batch size {batch.effective} × sequence length {length}, as {fixed}",
    )


def _fixed_length(settings: Mapping[str, Setting]) -> str:
    """Why every example has the same length, in words; "" where nothing says so."""
    if value_of(settings, "packing") is True:
        return f"examples are packed ({settings['packing'].source})"
    for setting in settings.values():
        name = setting.key.rsplit(".", 1)[-1]
        if name in _PADDED and (setting.value is True or setting.value == "max_length") and setting.key != "packing":
            # The collator's "padding: true" pads to the longest of a batch.
            if name == "padding" and setting.value is True:
                continue
            return f"examples are padded to it, padding counted ({setting.source})"
    return ""


def _money(run: RunSummary, curves: RunCurves, settings: Mapping[str, Setting], price: Price | None) -> Spent:
    if price is None:
        return Spent(None, why_not="No price of a GPU hour is set.")
    hours = place(curves, Axis.HOURS, run)
    if hours is None:
        return Spent(None, why_not=why_not(Axis.HOURS))
    gpus, from_where = _gpus(run, settings)
    if gpus == 0:
        return Spent(None, why_not="It ran without a GPU.")
    each = price.amount * (gpus or 1)
    told = f"{price.sign}{price.amount:g} for an hour of a GPU"
    told += f" × {gpus} GPU{'' if gpus == 1 else 's'} ({from_where})" if gpus else f", per run hour: {from_where}"
    return Spent(lambda curve: hours(curve) * each, told)


def _gpus(run: RunSummary, settings: Mapping[str, Setting]) -> tuple[int | None, str]:
    """How many GPUs a run used, and where that stands; ``None`` and why where nobody knows."""
    stated = settings.get("num_gpus")
    nodes = max((_count(each.value) for each in settings.values() if each.key.rsplit(".", 1)[-1] in _NODES), default=1)
    if stated is not None and (gpus := gpus_of(settings)) is not None:
        if nodes > 1 and stated.source.rsplit(".", 1)[-1] not in _OF_ALL_NODES:
            return None, f"{gpus} GPUs and {nodes} nodes are set, and not whether that is of each node"
        return gpus, stated.source
    machine = finite(run.extra.get("tag.gpu_count"))
    if machine is not None and machine >= 1:
        return int(machine), "of the machine, as its log says"
    return None, "number of GPUs not logged"


def _count(value: Any) -> int:
    return whole(value) or 1
