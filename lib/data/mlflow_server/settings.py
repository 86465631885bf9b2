"""What a deployment says about its MLflow tracking server.

No message repeats a value that may hold a secret: passwords are pasted into the wrong line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from lib.core.facts.errors import SettingsError
from lib.data.sections import (
    REFRESH_RANGE_S,
    TIMEOUT_RANGE_S,
    Reader,
    address_problem,
    given_settings,
    seconds_from,
    text_from,
    text_that,
)

SECTION = "runoff.mlflow"
"""Section of ``.streamlit/secrets.toml``."""
PREFIX = "RUNOFF_MLFLOW_"
"""The same as environment variables: ``RUNOFF_MLFLOW_URL`` and so on."""

TIMEOUT_S = 30.0
"""A server takes seconds for a page of a long metric, and its database may be busy."""
REFRESH_S = 15.0
"""A running run costs a request for each metric that grew."""


@dataclass(frozen=True, slots=True)
class MlflowSettings:
    """An MLflow tracking server. Its credentials are the deployment's: everybody sees the same runs.

    Attributes:
        url: Of the server, with its path prefix where it has one, with no slash at the end.
        experiments: Names of the experiments whose runs are listed; none for all that are active.
        token: Sent as a bearer token.
        user, password: Sent as HTTP basic authentication.
        workspace: Of a server that has several.
        timeout_s: How long one request may take, its repetitions included.
        refresh_s: How often the list and running runs are asked for news.
    """

    url: str
    experiments: tuple[str, ...] = ()
    token: str | None = field(default=None, repr=False)
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    workspace: str | None = None
    timeout_s: float = TIMEOUT_S
    refresh_s: float = REFRESH_S

    @property
    def host(self) -> str:
        """The server as people know it: host, and port and path where there are any."""
        return self.url.partition("://")[2]


def mlflow_settings_from(environment: Mapping[str, str], section: Any) -> MlflowSettings | None:
    """Read the settings of a server; the environment goes before the secrets file.

    Args:
        environment: The process's environment.
        section: ``[runoff.mlflow]`` of secrets.toml; ``None`` where there is none.

    Returns:
        ``None`` where nothing is said about a server.

    Raises:
        SettingsError: If a setting is missing, wrong, or not known.
    """
    needed = {"url": "the address of the MLflow tracking server"}
    given = given_settings(environment, section, _READERS, name=SECTION, prefix=PREFIX, needed=needed)
    if given is None:
        return None
    values, places = given
    if "token" in values and ("user" in values or "password" in values):
        raise SettingsError(
            "Expected one way to sign in to the MLflow server, found two: a token, and a user or password.",
            hint="Remove token, or else user and password.",
        )
    for one, other in (("user", "password"), ("password", "user")):
        if one in values and other not in values:
            raise SettingsError(
                f"Expected user and password together, found {places[one]} alone.",
                hint=f"Set {other} too, or remove {one}.",
            )
    return MlflowSettings(**values)


def _url(value: Any, where: str) -> str:
    text = text_from(value, where)
    scheme = urlsplit(text).scheme if "://" in text or ":" in text else ""
    problem = address_problem(text)
    if scheme.partition("+")[0] in ("file", "sqlite", "postgresql", "mysql", "mssql"):
        problem = "the address of a store of files or of a database"
        hint = 'A folder of mlruns or an mlflow.db on this machine is read as a folder: runs = "path/to/it".'
    elif scheme == "databricks" or text == "databricks":
        problem = "the name of a Databricks profile"
        hint = "Give the workspace's address, https://..., and a token."
    else:
        hint = "It looks like http://localhost:5000: what MLFLOW_TRACKING_URI names, and the browser opens."
        parts = urlsplit(text) if not problem else None
        if parts and (parts.query or parts.fragment or "/api/" in f"{parts.path}/"):
            problem = "an address with more than the server's own part"
    if problem:
        raise SettingsError(f"Expected {where} to be the server's address, found {problem}.", hint=hint)
    return text.rstrip("/")


def _experiments(value: Any, where: str) -> tuple[str, ...]:
    """Names in a list; in a text, as JSON or parted by commas."""
    listed = value
    if isinstance(value, str):
        listed = [each.strip() for each in value.split(",")]
        if value.lstrip().startswith("["):
            try:
                listed = json.loads(value)
            except (ValueError, RecursionError):
                listed = None
    if (
        not isinstance(listed, list | tuple)
        or not listed
        or not all(isinstance(name, str) and name.strip() for name in listed)
    ):
        raise SettingsError(
            f"Expected {where} to be names of experiments in a list, found something else.",
            hint='Write experiments = ["first", "second"], or remove the setting to list all active experiments.',
        )
    return tuple(dict.fromkeys(listed))


def _problem_of_header(text: str) -> str:
    is_word = text.isascii() and not any(char.isspace() or not char.isprintable() for char in text)
    return "" if is_word else "something else"


def _problem_of_user(text: str) -> str:
    return "one with a colon in it" if ":" in text else ""


def _password(value: Any, where: str) -> str:
    # Spaces around it may be part of it.
    text_from(value, where)
    return str(value)


_HEADER = text_that(
    "a single word of ASCII characters",
    _problem_of_header,
    "Copy it again, without quotation marks, line breaks and the word Bearer.",
)
_READERS: Mapping[str, Reader] = {
    "url": _url,
    "experiments": _experiments,
    "token": _HEADER,
    "user": text_that("a name", _problem_of_user, "No user has one."),
    "password": _password,
    "workspace": _HEADER,
    "timeout_s": seconds_from(*TIMEOUT_RANGE_S),
    "refresh_s": seconds_from(*REFRESH_RANGE_S),
}
