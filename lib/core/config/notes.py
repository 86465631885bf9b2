"""What is odd about a configuration that disagrees with itself: which places, which values, and which counts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lib.core.config.datasets import dataset_name, stem
from lib.core.config.parameters import Group
from lib.core.config.places import COLUMN_RANK, FOLDER_NAME, STATE_SECTION, Place
from lib.core.config.setting import Oddity, Remark, Setting, value_of
from lib.core.config.values import MASKED, Comparable, Comparison, comparable, show
from lib.core.facts.values import finite

NOTE_CHARACTERS = 80
"""Values in a sentence are cut here: the sentence names the places, where the whole value stands."""

PEAK_TOLERANCE = 0.01
"""A measured peak this share above the configured learning rate is still the same: schedules overshoot by rounding."""

_KeyedRemarks = Iterator[tuple[str, Remark]]


def contradiction(title: str, stated: Sequence[tuple[Place, Any]]) -> Remark | None:
    """Say which places state different values, and which one counts; ``None`` where they agree.

    Args:
        title: What the parameter is called.
        stated: Every place with its value, the one that counts first. Null states nothing, and what two
            secrets are is not said.
    """
    distinct: dict[Comparable, tuple[Place, Any]] = {}
    for place, value in stated:
        if value is MASKED:
            return None
        if value is not None:
            distinct.setdefault(_compared(place, value), (place, value))
    winner, counts = stated[0]
    odd = [(place, value) for place, value in distinct.values() if not _is_rounded(place, value, counts)]
    if len(odd) < 2:
        return None
    places = tuple((place.source, _brief(value, place)) for place, value in odd)
    values = ", ".join(f"{source} = {shown}" for source, shown in places)
    others = [place for place, _ in odd[1:]]
    if all(place.source == FOLDER_NAME for place in others):
        verdict = f"{winner.source} counts; a folder's name is only a hint."
    elif winner.group is Group.LORA and winner.parameter is not None and others[0].rank[0] < COLUMN_RANK:
        verdict = f"The trainer uses {winner.source}."
    elif all(place.rank[0] >= COLUMN_RANK for place in others):
        verdict = f"{winner.source} counts; the job's column may say what a later change made of it."
    else:
        verdict = f"{winner.source} is taken to be the one that the trainer uses."
    return Remark(Oddity.CONTRADICTION, f"{title} is stated with different values: {values}. {verdict}", places)


def between_settings(settings: Mapping[str, Setting], total_steps: int | None) -> _KeyedRemarks:
    """Yield key and remark where two different parameters cannot both hold.

    Args:
        settings: By canonical name.
        total_steps: How many optimizer steps the run was to make; ``None`` when unknown.
    """
    yield from _warmup(settings, total_steps)
    yield from _steps_and_epochs(settings)
    yield from _peak_above_rate(settings)
    yield from _two_precisions(settings)


def _warmup(settings: Mapping[str, Setting], total: int | None) -> _KeyedRemarks:
    """``TrainingArguments.get_warmup_steps`` takes ``warmup_steps`` if it is above 0, else the ratio."""
    steps, ratio = settings.get("warmup_steps"), settings.get("warmup_ratio")
    if steps is None or ratio is None:
        return
    count, share = finite(steps.value), finite(ratio.value)
    # 0 steps are the trainer's default.
    if not count or not share:
        return
    if not is_column(steps):
        verdict = f"The Hugging Face trainer uses {steps.source}, as it is above 0, and ignores the ratio."
        yield from _both(steps, ratio, verdict) if count > 0 else ()
    elif not is_column(ratio) and total and 0 < share <= 1:
        # The column may hold what the writer worked out from the ratio, rounded either way.
        expected = math.ceil(total * share)
        verdict = f"The ratio makes {expected:,} of {total:,} steps, which is not what the job's column says."
        yield from _both(ratio, steps, verdict) if abs(expected - count) > 1 else ()


def _steps_and_epochs(settings: Mapping[str, Setting]) -> _KeyedRemarks:
    """``TrainingArguments.max_steps``: the trainer stops there if it is above 0, whatever the epochs."""
    steps, epochs = settings.get("max_steps"), settings.get("total_epochs")
    if steps is None or epochs is None or is_column(epochs):
        return
    # A column tells how many steps there were, not how many were asked for.
    if is_column(steps) or f".{STATE_SECTION}." in steps.source:
        return
    if (finite(steps.value) or 0) > 0 and finite(epochs.value) is not None:
        yield from _both(steps, epochs, "The Hugging Face trainer stops at max_steps when it is above 0.")


def _peak_above_rate(settings: Mapping[str, Setting]) -> _KeyedRemarks:
    """A measured peak can lie below the configured learning rate (a run that ended early), not above it."""
    rate, peak = settings.get("learning_rate"), settings.get("max_learning_rate")
    if rate is None or peak is None or is_column(rate) or not is_column(peak):
        return
    configured, measured = finite(rate.value), finite(peak.value)
    if configured is None or measured is None or measured <= configured * (1 + PEAK_TOLERANCE):
        return
    places = ((rate.source, show(configured, scientific=True)), (peak.source, show(measured, scientific=True)))
    sentence = (
        f"{places[0][0]} = {places[0][1]}, but {places[1][0]} = {places[1][1]}: the schedule cannot rise above the"
        f" configured learning rate. {rate.source} counts; the job's column may say what a later change made of it."
    )
    yield "learning_rate", Remark(Oddity.CONTRADICTION, sentence, places)


def _two_precisions(settings: Mapping[str, Setting]) -> _KeyedRemarks:
    """Switches of which one trainer takes one only (``TrainingArguments``, ``BitsAndBytesConfig``)."""
    stated = {key: setting for key, setting in settings.items() if not setting.derived}
    for one, other in (("bf16", "fp16"), ("load_in_4bit", "load_in_8bit")):
        if value_of(stated, one) is True and value_of(stated, other) is True:
            yield from _both(stated[one], stated[other], "The Hugging Face libraries take only one of them.")
    bits = comparable(value_of(stated, "quantization"), Comparison.BITS)
    if bits == ("bits", 4) and value_of(stated, "load_in_4bit") is False:
        verdict = "Which of them the trainer uses cannot be told."
        yield from _both(stated["quantization"], stated["load_in_4bit"], verdict)


def product_differs(stated: Setting, product: int | None, how: str) -> Remark | None:
    """Say that a stated effective batch size is not the product of its factors; ``None`` where it is."""
    if stated.value is None or product is None or comparable(stated.value) == comparable(product):
        return None
    shown = show(stated.value)
    sentence = f"{stated.source} states {shown}, but the product is {product} ({how})."
    return Remark(Oddity.CONTRADICTION, sentence, ((stated.source, shown), (how, str(product))))


def is_column(setting: Setting) -> bool:
    """True where the value is from a column of the job and not from its configuration."""
    return setting.source.startswith("column")


def _both(one: Setting, other: Setting, verdict: str) -> _KeyedRemarks:
    """The same remark on both settings."""
    places = ((one.source, show(one.value)), (other.source, show(other.value)))
    sentence = " and ".join(f"{source} = {shown}" for source, shown in places)
    remark = Remark(Oddity.CONTRADICTION, f"Both {sentence} are set. {verdict}", places)
    yield one.key, remark
    yield other.key, remark


def _is_rounded(place: Place, value: Any, counts: Any) -> bool:
    """Whether an integer column merely rounds the epochs that count: it cannot hold 2.5."""
    if place.key != "total_epochs" or place.rank[0] < COLUMN_RANK:
        return False
    exact, column = finite(counts), finite(value)
    if exact is None or column is None or exact.is_integer():
        return False
    return column in (math.floor(exact), math.ceil(exact))


def _compared(place: Place, value: Any) -> Comparable:
    # "alpaca" and "uploads/…/alpaca.jsonl" name the same dataset.
    if place.is_dataset and isinstance(value, str):
        return ("dataset", stem(dataset_name(value).rsplit("/", 1)[-1]).casefold())
    return comparable(value, place.comparison)


def _brief(value: Any, place: Place) -> str:
    return show(
        value,
        scientific=place.parameter is not None and place.parameter.scientific,
        comparison=Comparison.VALUE if place.comparison is Comparison.SET else place.comparison,
        limit=NOTE_CHARACTERS,
    )
