"""Values of settings as they may be shown: secrets masked by their names, their looks, and what announces them."""

from __future__ import annotations

from typing import Any

from lib.core.config.values import MASKED
from lib.core.facts.credentials import MASK, redact
from lib.core.facts.secret_names import Secrecy, secrecy


def mask(value: Any, level: Secrecy) -> Any:
    """Return ``value`` as it may be shown: itself, ``MASKED``, or text with its credentials blotted out.

    Args:
        value: A scalar, or a tuple of scalars.
        level: What its name, or that of a container around it, says.
    """
    if value is None or isinstance(value, bool | int | float):
        hidden = level is Secrecy.ALL and value is not None and not isinstance(value, bool)
        return MASKED if hidden else value
    if isinstance(value, tuple):
        if level and any(isinstance(item, str) and item for item in value):
            return MASKED
        return _mask_items(value, level)
    if isinstance(value, str):
        if level and value.strip():
            return MASKED
        redacted = redact(value)
        return MASKED if redacted != value and redacted.strip() == MASK else redacted
    return MASKED if level and value else value


def _mask_items(items: tuple[Any, ...], level: Secrecy) -> tuple[Any, ...]:
    """Mask the items of a list, and the item after a flag that announces a secret ("--hf_token")."""
    shown: list[Any] = []
    announced = Secrecy.NONE
    for item in items:
        shown.append(mask(item, max(level, announced)))
        is_flag = isinstance(item, str) and item.startswith("-") and "=" not in item
        announced = secrecy(item) if is_flag else Secrecy.NONE
    return tuple(shown)
