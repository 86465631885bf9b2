"""One section of settings of a source: from ``.streamlit/secrets.toml`` and from environment variables.

No message repeats a value that may hold a secret: keys are pasted into the wrong line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from lib.core.facts.errors import SettingsError
from lib.core.facts.values import finite

TIMEOUT_RANGE_S = (1.0, 300.0)
REFRESH_RANGE_S = (1.0, 3600.0)

OF_A_SERVICE = re.compile(r"_(?:SERVICE_(?:HOST|PORT(?:_\w{1,63})?)|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_\w{1,63})?)?)$")
"""What Kubernetes puts into the environment of every pod for a service, which may be called like our settings begin."""

Reader = Callable[[Any, str], Any]
"""Reads a value; the second argument says where it stands. Raises ``SettingsError``."""


def given_settings(
    environment: Mapping[str, str],
    section: Any,
    readers: Mapping[str, Reader],
    *,
    name: str,
    prefix: str,
    needed: Mapping[str, str],
) -> tuple[dict[str, Any], dict[str, str]] | None:
    """Read the settings of a section; the environment goes before the secrets file.

    Args:
        environment: The process's environment.
        section: What secrets.toml has under the section's name; ``None`` where there is none.
        readers: By setting.
        name: Of the section.
        prefix: With which the environment variables of the same settings begin.
        needed: What must be there: by setting, what it is in words.

    Returns:
        The values by setting, and where each of them stands; ``None`` where nothing is said.

    Raises:
        SettingsError: If a setting is missing, wrong, or not known.
    """
    if section is not None and not isinstance(section, Mapping):
        raise SettingsError(
            f"Expected [{name}] in secrets.toml to be a section, found a single value.",
            hint=f"Write [{name}] on a line of its own, and {' and '.join(needed)} below it.",
        )
    variables = {
        variable: text
        for variable, text in environment.items()
        if variable.startswith(prefix) and not OF_A_SERVICE.search(variable)
    }
    if section is None and not variables:
        return None
    given: dict[str, tuple[Any, str]] = {}
    for setting, value in (section or {}).items():
        if setting not in readers:
            raise _unknown(f"{setting!r} in section [{name}] of secrets.toml", ", ".join(readers))
        given[setting] = value, f"{setting} in section [{name}] of secrets.toml"
    for variable, value in variables.items():
        setting = variable.removeprefix(prefix).lower()
        if variable != prefix + setting.upper() or setting not in readers:
            raise _unknown(f"environment variable {variable}", ", ".join(prefix + known.upper() for known in readers))
        given[setting] = value, f"the environment variable {variable}"
    for setting, what in needed.items():
        if setting not in given:
            raise SettingsError(
                f"Expected {what}, found no setting {setting}.",
                hint=f"Set {setting} in section [{name}] of secrets.toml, or {prefix}{setting.upper()}.",
            )
    values = {setting: readers[setting](*value) for setting, value in given.items()}
    return values, {setting: where for setting, (_, where) in given.items()}


def text_from(value: Any, where: str) -> str:
    """A text that is not empty, without the spaces around it."""
    if not isinstance(value, str) or not value.strip():
        raise SettingsError(
            f"Expected {where} to be text, found {kind_of(value)}.", hint="Fill it in, or remove the setting."
        )
    return value.strip()


def kind_of(value: Any) -> str:
    """What a value that is none of those expected is, in words that do not repeat it.

    Example:
        >>> kind_of("hunter2"), kind_of(" "), kind_of([1])
        ('another text', 'nothing', 'a value of type list')
    """
    if value is None or isinstance(value, str):
        return "another text" if value and value.strip() else "nothing"
    return f"a value of type {type(value).__name__}"


def text_that(what: str, problem_of: Callable[[str], str], hint: str) -> Reader:
    """Reads a text.

    Args:
        what: What it is expected to be, in words.
        problem_of: What is wrong with a text, in words; "" for nothing. These never repeat what may be a secret.
        hint: What to do where something is.
    """

    def read(value: Any, where: str) -> str:
        text = text_from(value, where)
        if problem := problem_of(text):
            raise SettingsError(f"Expected {where} to be {what}, found {problem}.", hint=hint)
        return text

    return read


def address_problem(text: str) -> str:
    """What is wrong with an address of a server, in words; "" for nothing."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return "text that is no address"
    if parts.scheme not in ("http", "https") or "://" not in text:
        return "text that does not start with https:// or http://"
    if not parts.hostname:
        return "an address without a host"
    if any(not char.isprintable() or char.isspace() for char in text):
        return "an address with a space in it"
    return "an address with a user name in it" if "@" in parts.netloc else ""


def flag_from(value: Any, where: str) -> bool:
    """True or false, also in words."""
    known = {"true": True, "false": False, "1": True, "0": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in known:
        return known[value.strip().lower()]
    raise SettingsError(f"Expected {where} to be true or false, found {kind_of(value)}.", hint="Write true or false.")


def seconds_from(low: float, high: float) -> Callable[[Any, str], float]:
    """Reads a number of seconds within bounds."""

    def read(value: Any, where: str) -> float:
        seconds = finite(value)
        if seconds is None or not low <= seconds <= high:
            found = kind_of(value) if seconds is None else f"one {'below' if seconds < low else 'above'} that"
            raise SettingsError(
                f"Expected {where} to be a number of seconds from {low:g} to {high:g}, found {found}.",
                hint="Write a number, or remove the setting.",
            )
        return seconds

    return read


def _unknown(setting: str, known: str) -> SettingsError:
    return SettingsError(f"Unknown setting: {setting}.", hint=f"Known settings: {known}.")
