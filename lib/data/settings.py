"""What a deployment may set, and the source that it asks for.

Nothing set means the demo runs. A setting that is there but wrong is an error: nobody must take the
demo for their own data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib.core.facts.errors import SettingsError, SignInExpired
from lib.data.mlflow_server.settings import PREFIX as MLFLOW_PREFIX
from lib.data.mlflow_server.settings import MlflowSettings, mlflow_settings_from
from lib.data.sections import kind_of
from lib.data.source import RunSource
from lib.data.supabase.settings import PREFIX, SignIn, SupabaseSettings, supabase_settings_from
from lib.log.lines import Form

if TYPE_CHECKING:
    from lib.data.supabase.client import Reader

RUNS_VARIABLE = "RUNOFF_RUNS"
"""Environment variable: a folder of training outputs."""

SECTION, RUNS_SETTING = "runoff", "runs"
"""The same in ``.streamlit/secrets.toml``: ``runs`` in the section ``[runoff]``."""

LOG_VARIABLE, LOG_SETTING = "RUNOFF_LOG", "log"
"""The form of the log: an environment variable, and ``log`` in the section ``[runoff]``."""
SUPABASE_SETTING = "supabase"
"""A Supabase project: the section ``[runoff.supabase]`` (see ``lib.data.supabase.settings``)."""
MLFLOW_SETTING = "mlflow"
"""An MLflow tracking server: the section ``[runoff.mlflow]`` (see ``lib.data.mlflow_server.settings``)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is set: a folder of training outputs, a Supabase project, an MLflow server, or none for the demo runs.

    Attributes:
        log: How entries of the log are written.
    """

    runs: str | None = None
    supabase: SupabaseSettings | None = None
    mlflow: MlflowSettings | None = None
    log: Form = Form.PLAIN

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that may be shown nowhere."""
        held = (
            self.supabase.key if self.supabase is not None else None,
            self.mlflow.token if self.mlflow is not None else None,
            self.mlflow.password if self.mlflow is not None else None,
        )
        return tuple(value for value in held if value is not None)


def settings_from(environment: Mapping[str, str], secrets: Mapping[str, Any]) -> Settings:
    """Read the settings; the environment goes before the secrets file.

    Raises:
        SettingsError: If a setting is of the wrong type, empty, or not known, or names a second source.
    """
    section = secrets.get(SECTION, {})
    if not isinstance(section, Mapping):
        raise SettingsError(
            f"Expected [{SECTION}] in secrets.toml to be a section, found a single value.",
            hint=f'Write [{SECTION}] on a line of its own and {RUNS_SETTING} = "path/to/outputs" below it.',
        )
    if unknown := sorted(set(section) - {RUNS_SETTING, LOG_SETTING, SUPABASE_SETTING, MLFLOW_SETTING}):
        raise SettingsError(
            f"Unknown setting {unknown[0]!r} in section [{SECTION}] of secrets.toml.",
            hint=f"Known settings: {RUNS_SETTING}, {LOG_SETTING}, and the sections [{SECTION}.{SUPABASE_SETTING}]"
            f" and [{SECTION}.{MLFLOW_SETTING}].",
        )
    supabase = supabase_settings_from(environment, section.get(SUPABASE_SETTING))
    mlflow = mlflow_settings_from(environment, section.get(MLFLOW_SETTING))
    runs = None
    if RUNS_VARIABLE in environment:
        runs = _folder(environment[RUNS_VARIABLE], f"the environment variable {RUNS_VARIABLE}")
    elif RUNS_SETTING in section:
        runs = _folder(section[RUNS_SETTING], f"{RUNS_SETTING} in section [{SECTION}] of secrets.toml")
    sources = {
        "a folder": (runs, f"{RUNS_VARIABLE} or {RUNS_SETTING}"),
        "a Supabase project": (supabase, f"[{SECTION}.{SUPABASE_SETTING}] and {PREFIX}..."),
        "an MLflow server": (mlflow, f"[{SECTION}.{MLFLOW_SETTING}] and {MLFLOW_PREFIX}..."),
    }
    named = {what: where for what, (settings, where) in sources.items() if settings is not None}
    if len(named) > 1:
        *others, last = named
        *places, place = named.values()
        raise SettingsError(
            f"Expected one source of runs, found {'two' if len(named) == 2 else 'three'}:"
            f" {', '.join(others)} and {last}.",
            hint=f"Keep one of them, and remove the settings of the rest: {', '.join(places)}, or else {place}.",
        )
    return Settings(runs, supabase, mlflow, _log_form(environment, section))


def open_source(settings: Settings, reader: Reader | None = None) -> RunSource:
    """Open the source that the settings ask for.

    Args:
        settings: Where the runs are.
        reader: Who has signed in (``lib.data.supabase.auth``), where the source asks for that. A source
            reads as this reader, so each needs one of their own.

    Raises:
        SignInExpired: If somebody must sign in, and nobody has.
        SourceUnavailable: If the folder is not there.
    """
    # Each source is imported where it is opened: nobody waits for the libraries of the others.
    if settings.supabase is not None:
        from lib.data.supabase.client import project_of
        from lib.data.supabase.source import SupabaseSource

        if reader is None and settings.supabase.sign_in is SignIn.REQUIRED:
            raise SignInExpired(f"Nobody is signed in to {settings.supabase.host}.", hint="Sign in.")
        return SupabaseSource(project_of(settings.supabase), reader)
    if settings.mlflow is not None:
        from lib.data.mlflow_server.client import server_of
        from lib.data.mlflow_server.source import MlflowSource

        return MlflowSource(server_of(settings.mlflow))
    if settings.runs is not None:
        from lib.data.folder.source import FolderSource

        return FolderSource(settings.runs)
    from lib.data.demo.source import EmbeddedSource

    return EmbeddedSource()


def _log_form(environment: Mapping[str, str], section: Mapping[str, Any]) -> Form:
    value, where = section.get(LOG_SETTING, Form.PLAIN), f"{LOG_SETTING} in section [{SECTION}] of secrets.toml"
    if LOG_VARIABLE in environment:
        value, where = environment[LOG_VARIABLE], f"the environment variable {LOG_VARIABLE}"
    if value not in list(Form):
        raise SettingsError(
            f"Expected {where} to be one of {', '.join(Form)}, found {kind_of(value)}.",
            hint="Write one of them, or remove the setting for lines that people read.",
        )
    return Form(value)


def _folder(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise SettingsError(
            f"Expected {where} to name a folder, found {kind_of(value)}.",
            hint="Give the path of a folder of training outputs, or remove the setting to see the demo runs.",
        )
    return value.strip()
