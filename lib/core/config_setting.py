"""One setting of one run: the effective value of a parameter, and where it is from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib.core.parameters import PARAMETERS, Group
from lib.core.setting_values import Comparison

FOLDER = ".folder"
"""Ends the key of the row that holds the whole path of a dataset, of which only the name is compared."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The effective value of one parameter in one run.

    Attributes:
        key: The canonical name.
        value: A scalar, a tuple of scalars or an empty container; ``None`` for null, ``MASKED`` for a
            secret, ``MISSING`` for a derived value that cannot be worked out.
        source: The place that won ("config.lora.r", "column batch_size"), or how the value was derived.
        places: Every place that states the parameter with its value, the winner first.
        notes: Sentences about what is odd here.
        contradicted: True where places state different values.
        derived: True where the value was worked out from other settings.
    """

    key: str
    value: Any
    source: str
    group: Group
    comparison: Comparison = Comparison.VALUE
    places: tuple[tuple[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    contradicted: bool = False
    derived: bool = False

    @property
    def title(self) -> str:
        """The name for people."""
        return title_of(self.key)


def title_of(key: str) -> str:
    """Return what a parameter is called for people.

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
