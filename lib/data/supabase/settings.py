"""What a deployment says about its Supabase project, and which keys are refused.

No message repeats a value that may hold a secret: keys are pasted into the wrong line.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from lib.core.facts.errors import SettingsError
from lib.data.sections import (
    REFRESH_RANGE_S,
    TIMEOUT_RANGE_S,
    Reader,
    address_problem,
    flag_from,
    given_settings,
    kind_of,
    seconds_from,
    text_that,
)
from lib.data.tables.job_rows import JOBS_TABLE

SECTION = "runoff.supabase"
"""Section of ``.streamlit/secrets.toml``."""
PREFIX = "RUNOFF_SUPABASE_"
"""The same as environment variables: ``RUNOFF_SUPABASE_URL`` and so on."""

METRICS_TABLE = "local_training_metrics"
TIMEOUT_S = 20.0
"""Longer than the 8 s after which a hosted project cancels a query, so that its own answer arrives."""
REFRESH_S = 10.0
"""Trainers log every few seconds."""

_MIGHTY_ROLES = frozenset({"service_role", "supabase_admin", "postgres"})
_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
MOST_OF_A_NAME = 63
"""Characters: PostgreSQL cuts a longer one."""


class SignIn(StrEnum):
    """Whether somebody must sign in before anything is read."""

    REQUIRED = "required"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class SupabaseSettings:
    """A Supabase project.

    Attributes:
        url: Of the project, with no slash at the end.
        key: The public API key: a legacy JWT of role anon, or ``sb_publishable_...``.
        timeout_s: How long one read may take, its repetitions included.
        refresh_s: How often running runs are asked for news.
        allow_service_key: Whether a key that reads past row-level security is taken.
    """

    url: str
    key: str = field(repr=False)
    jobs_table: str = JOBS_TABLE
    metrics_table: str = METRICS_TABLE
    sign_in: SignIn = SignIn.REQUIRED
    timeout_s: float = TIMEOUT_S
    refresh_s: float = REFRESH_S
    allow_service_key: bool = False

    @property
    def host(self) -> str:
        """The project as people know it: host, and port and path where there are any."""
        return self.url.partition("://")[2]


def supabase_settings_from(environment: Mapping[str, str], section: Any) -> SupabaseSettings | None:
    """Read the settings of a project; the environment goes before the secrets file.

    Args:
        environment: The process's environment.
        section: ``[runoff.supabase]`` of secrets.toml; ``None`` where there is none.

    Returns:
        ``None`` where nothing is said about a project.

    Raises:
        SettingsError: If a setting is missing, wrong, or not known.
    """
    needed = {"url": "the address of the Supabase project", "key": "the public API key of the Supabase project"}
    given = given_settings(environment, section, _READERS, name=SECTION, prefix=PREFIX, needed=needed)
    if given is None:
        return None
    values, places = given
    settings = SupabaseSettings(**values)
    if not settings.allow_service_key and is_service_key(settings.key):
        raise SettingsError(
            f"Expected a public key, found a service key: {places['key']} reads past row-level security,"
            " so every visitor would see every run.",
            hint="Use the publishable key (or the legacy anon key). If everybody here may see everything,"
            " set allow_service_key = true.",
        )
    return settings


def is_service_key(key: str) -> bool:
    """Tell whether a key reads past row-level security, by what it says of itself.

    Example:
        >>> is_service_key("sb_secret_x"), is_service_key("sb_publishable_x")
        (True, False)
    """
    return key.startswith("sb_secret_") or _claims(key).get("role") in _MIGHTY_ROLES


def is_token(key: str) -> bool:
    """Tell whether a key is a JSON Web Token, as legacy keys are."""
    return bool(_claims(key))


def _claims(token: str) -> Mapping[str, Any]:
    """What a JSON Web Token says, unverified; empty where it is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return claims if isinstance(claims, Mapping) else {}


def _problem_of_url(text: str) -> str:
    if problem := address_problem(text):
        return problem
    parts = urlsplit(text)
    if parts.query or parts.fragment or parts.path.rstrip("/").endswith("/v1"):
        return "an address with more than the project's own part"
    if parts.hostname in ("supabase.com", "www.supabase.com", "app.supabase.com"):
        return "the address of the dashboard"
    return ""


def _problem_of_key(text: str) -> str:
    if not text.isascii() or any(char.isspace() for char in text):
        return "text with spaces or other characters that no key has"
    return "" if is_token(text) or text.startswith(("sb_publishable_", "sb_secret_")) else "something else"


def _problem_of_table(text: str) -> str:
    if len(text) > MOST_OF_A_NAME:
        return "a longer text"
    return "" if _TABLE.fullmatch(text) else "text with other characters"


def _sign_in(value: Any, where: str) -> SignIn:
    if value not in list(SignIn):
        raise SettingsError(
            f'Expected {where} to be "required" or "off", found {kind_of(value)}.',
            hint='"off" reads as an anonymous visitor: only what the database lets everybody read.',
        )
    return SignIn(value)


_TABLE_NAME = text_that(
    "a table's name", _problem_of_table, "Letters, digits and underscores, without schema and quotes."
)
_ADDRESS = text_that(
    "the project's address",
    _problem_of_url,
    "It looks like https://abcdefgh.supabase.co; the dashboard shows it under Project Settings, Data API.",
)
_READERS: Mapping[str, Reader] = {
    "url": lambda value, where: _ADDRESS(value, where).rstrip("/"),
    "key": text_that(
        "an API key (sb_publishable_... or a legacy key, eyJ...)",
        _problem_of_key,
        "Copy the publishable key from the project's dashboard: Project Settings, API Keys.",
    ),
    "jobs_table": _TABLE_NAME,
    "metrics_table": _TABLE_NAME,
    "sign_in": _sign_in,
    "timeout_s": seconds_from(*TIMEOUT_RANGE_S),
    "refresh_s": seconds_from(*REFRESH_RANGE_S),
    "allow_service_key": flag_from,
}
