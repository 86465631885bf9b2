"""Sentences about a configuration that disagrees with itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lib.core.config_datasets import dataset_name, stem
from lib.core.config_places import COLUMN_RANK, STATE_SECTION, Place
from lib.core.config_setting import Setting
from lib.core.parameters import Group
from lib.core.setting_values import MASKED, Comparison, comparable, show
from lib.core.values import finite

NOTE_CHARACTERS = 80
"""Values in a sentence are cut here: the sentence names the places, where the whole value stands."""

_STRAY = " \t\r\n:;,'\"`"
_MODULE_NAME = re.compile(r"[^\s:;,'\"`]+")


def contradiction(title: str, stated: Sequence[tuple[Place, Any]]) -> str | None:
    """Say which places state different values, and which one counts; ``None`` where they agree.

    Args:
        title: What the parameter is called.
        stated: Every place with its value, the one that counts first. Null states nothing, and what two
            secrets are is not said.
    """
    distinct: dict[tuple, tuple[Place, Any]] = {}
    for place, value in stated:
        if value is MASKED:
            return None
        if value is not None:
            distinct.setdefault(_compared(place, value), (place, value))
    if len(distinct) < 2:
        return None
    winner = stated[0][0]
    values = ", ".join(f"{place.source} = {_brief(value, place)}" for place, value in distinct.values())
    others = [place for place, _ in list(distinct.values())[1:]]
    if winner.group is Group.LORA and winner.parameter is not None and others[0].rank[0] < COLUMN_RANK:
        verdict = f"The trainer uses {winner.source}."
    elif all(place.rank[0] >= COLUMN_RANK for place in others):
        verdict = f"{winner.source} counts; the job's column may say what a later change made of it."
    else:
        verdict = f"{winner.source} is taken to be the one that the trainer uses."
    return f"{title} is stated with different values: {values}. {verdict}"


def misspelt(value: Any) -> list[str]:
    """Name the items of a list of modules that cannot be the name of a module."""
    items = value if isinstance(value, tuple) else ()
    notes = []
    for item in items:
        if isinstance(item, str) and not _MODULE_NAME.fullmatch(item):
            meant = item.strip(_STRAY)
            guess = f" Probably {show(meant)} was meant." if _MODULE_NAME.fullmatch(meant) else ""
            notes.append(f'The list holds "{item}", which is not the name of a module.{guess}')
    return notes


def warmup_notes(settings: Mapping[str, Setting]) -> Iterator[tuple[str, str, bool]]:
    """Yield key, sentence and contradiction where warm-up is given both in steps and as a ratio.

    The Hugging Face trainer takes ``warmup_steps`` if it is above 0, else the ratio
    (``TrainingArguments.get_warmup_steps``).
    """
    steps, ratio = settings.get("warmup_steps"), settings.get("warmup_ratio")
    if steps is None or ratio is None or not finite(ratio.value) or not finite(steps.value):
        return
    # A column may hold what the writer worked out from the ratio, and 0 steps are the trainer's default.
    if steps.source.startswith("column") or finite(steps.value) < 0:
        return
    note = (
        f"Both {steps.source} = {show(steps.value)} and {ratio.source} = {show(ratio.value)} are set."
        " The Hugging Face trainer uses warmup_steps when it is above 0, and ignores the ratio."
    )
    yield "warmup_steps", note, True
    yield "warmup_ratio", note, True


def overridden(settings: Mapping[str, Setting]) -> Iterator[tuple[str, str, bool]]:
    """Yield key, sentence and contradiction where ``max_steps`` makes the number of epochs void.

    The Hugging Face trainer stops at ``max_steps`` if it is above 0, whatever the epochs
    (``TrainingArguments.max_steps``).
    """
    steps, epochs = settings.get("max_steps"), settings.get("total_epochs")
    if steps is None or epochs is None:
        return
    # A column tells how many steps there were, not how many were asked for.
    asked_for = steps.source.startswith("config") and f".{STATE_SECTION}." not in steps.source
    if not asked_for or not epochs.source.startswith("config"):
        return
    if (finite(steps.value) or 0) > 0 and finite(epochs.value) is not None:
        note = (
            f"Both {steps.source} = {show(steps.value)} and {epochs.source} = {show(epochs.value)} are set."
            " The Hugging Face trainer stops at max_steps when it is above 0."
        )
        yield "total_epochs", note, True
        yield "max_steps", note, True


def product_differs(source: str, value: Any, product: int | None, how: str) -> str | None:
    """Say that a stated effective batch size is not the product of its factors; ``None`` where it is."""
    if value is None or product is None or comparable(value) == comparable(product):
        return None
    return f"{source} states {show(value)}, but the product is {product} ({how})."


def _compared(place: Place, value: Any) -> tuple:
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
