"""What a deployment may set, and the source that it asks for.

Nothing set means the demo runs. A setting that is there but wrong is an error: nobody must take the
demo for their own data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.core.errors import SettingsError
from lib.data.source import RunSource

RUNS_VARIABLE = "RUNOFF_RUNS"
"""Environment variable: a folder of training outputs."""

SECTION, RUNS_SETTING = "runoff", "runs"
"""The same in ``.streamlit/secrets.toml``: ``runs`` in the section ``[runoff]``."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is set. ``runs`` is the folder of training outputs; ``None`` means the demo runs."""

    runs: str | None = None


def settings_from(environment: Mapping[str, str], secrets: Mapping[str, Any]) -> Settings:
    """Read the settings; the environment goes before the secrets file.

    Raises:
        SettingsError: If a setting is of the wrong type, empty, or not known.
    """
    section = secrets.get(SECTION, {})
    if not isinstance(section, Mapping):
        raise SettingsError(
            f"Expected [{SECTION}] in secrets.toml to be a section, found a single value.",
            hint=f'Write [{SECTION}] on a line of its own and {RUNS_SETTING} = "path/to/outputs" below it.',
        )
    if unknown := sorted(set(section) - {RUNS_SETTING}):
        raise SettingsError(
            f"Unknown setting {unknown[0]!r} in section [{SECTION}] of secrets.toml.",
            hint=f"Known settings: {RUNS_SETTING}.",
        )
    if RUNS_VARIABLE in environment:
        return Settings(_folder(environment[RUNS_VARIABLE], f"the environment variable {RUNS_VARIABLE}"))
    if RUNS_SETTING in section:
        return Settings(_folder(section[RUNS_SETTING], f"{RUNS_SETTING} in section [{SECTION}] of secrets.toml"))
    return Settings()


def open_source(settings: Settings) -> RunSource:
    """Open the source that the settings ask for.

    Raises:
        SourceUnavailable: If the folder is not there.
    """
    # Each source is imported where it is opened: nobody waits for the libraries of the others.
    if settings.runs is not None:
        from lib.data.folder import FolderSource

        return FolderSource(settings.runs)
    from lib.data.embedded import EmbeddedSource

    return EmbeddedSource()


def _folder(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise SettingsError(
            f"Expected {where} to name a folder, found {'nothing' if value in ('', None) else repr(value)}.",
            hint="Give the path of a folder of training outputs, or remove the setting to see the demo runs.",
        )
    return value.strip()
