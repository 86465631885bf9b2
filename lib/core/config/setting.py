"""One setting of one run: the effective value of a parameter, and where it is from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lib.core.config.parameters import PARAMETERS, Group
from lib.core.config.values import Comparison, Sentinel

FOLDER = ".folder"
"""Ends the key of the row that holds the whole path of a dataset, of which only the name is compared."""


class Oddity(StrEnum):
    """What kind of thing is odd about a setting."""

    CONTRADICTION = "contradiction"
    TYPO = "typo"
    REMARK = "remark"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that is odd about a setting in its own run.

    Attributes:
        sentence: For people, whole: it names the places and the values. Plain text, secrets masked.
        places: For a contradiction, the places that disagree, each with its value as it is shown.
    """

    kind: Oddity
    sentence: str
    places: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """The effective value of one parameter in one run.

    Attributes:
        key: The canonical name.
        value: A scalar, a tuple of scalars or an empty container; ``None`` for null, ``MASKED`` for a
            secret, ``MISSING`` for a derived value that cannot be worked out.
        source: The place that won ("config.lora.r", "column batch_size"), or how the value was derived.
        places: Every place that states the parameter with its value, the winner first.
        remarks: What is odd here.
        derived: True where the value was worked out from other settings.
    """

    key: str
    value: Any
    source: str
    group: Group
    comparison: Comparison = Comparison.VALUE
    places: tuple[tuple[str, Any], ...] = ()
    remarks: tuple[Remark, ...] = ()
    derived: bool = False

    @property
    def contradicted(self) -> bool:
        """True where the configuration contradicts itself here."""
        return any(remark.kind is Oddity.CONTRADICTION for remark in self.remarks)


def value_of(settings: Mapping[str, Setting], key: str) -> Any:
    """The value of a parameter; ``None`` where it is not stated, null, a secret, or cannot be worked out."""
    setting = settings.get(key)
    return None if setting is None or isinstance(setting.value, Sentinel) else setting.value


def title_of(key: str) -> str:
    """Return what a parameter is called for people, by its name as ``lib.core.config.tree`` writes it.

    Example:
        >>> title_of("lora_r"), title_of("lora.bias")
        ('LoRA rank', 'LoRA bias')
    """
    parameter = PARAMETERS.get(key)
    if parameter is not None:
        return parameter.title
    if key.endswith(FOLDER) and (parameter := PARAMETERS.get(key.removesuffix(FOLDER))):
        return f"{parameter.title}, whole path"
    if key.startswith("lora."):
        return f"LoRA {key.removeprefix('lora.').replace('_', ' ')}"
    words = key.replace(".", " › ").replace("_", " ").strip() or key
    return words[:1].upper() + words[1:]
