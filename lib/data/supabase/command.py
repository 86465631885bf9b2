"""A project as a command is told of it: from the environment, since everybody can see a command's arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from lib.core.facts.errors import SettingsError
from lib.data.sections import text_from
from lib.data.supabase.auth import sign_in
from lib.data.supabase.client import Project
from lib.data.supabase.settings import PREFIX as READING_PREFIX
from lib.data.supabase.settings import SupabaseSettings, supabase_settings_from
from lib.data.supabase.source import SupabaseSource

PASSED_ON = ("url", "key", "jobs_table", "metrics_table", "timeout_s")
"""Settings of a project that a command has too."""
PREFIX = "RUNOFF_PROJECT_"
"""Of the environment variables that say which project a command reads."""
OWN = ("email", "password")


def project_from(
    environment: Mapping[str, str], prefix: str, own: Sequence[str], *, may: str, hint: str
) -> tuple[SupabaseSettings, dict[str, str]]:
    """The project and the command's own settings. A service key is taken, since nobody else uses it here.

    Args:
        environment: The process's environment.
        prefix: Of the variables.
        own: What the command has besides: texts.
        may: What the key has to be for, in words.
        hint: What to set where something is missing.

    Raises:
        SettingsError: If a setting is missing, wrong, or not known.
    """
    given = {name.removeprefix(prefix).lower(): value for name, value in environment.items() if name.startswith(prefix)}
    if unknown := sorted(set(given) - {*own, *PASSED_ON}):
        known = ", ".join(prefix + name.upper() for name in (*PASSED_ON, *own))
        raise SettingsError(
            f"Unknown setting: environment variable {prefix}{unknown[0].upper()}.", hint=f"Known settings: {known}."
        )
    for needed, what in (("url", "the address of the Supabase project"), ("key", f"an API key that {may}")):
        if needed not in given:
            raise SettingsError(
                f"Expected {what} in the environment variable {prefix}{needed.upper()}, found no such variable.",
                hint=hint,
            )
    passed_on = {READING_PREFIX + name.upper(): given[name] for name in PASSED_ON if name in given}
    try:
        project = supabase_settings_from(passed_on | {f"{READING_PREFIX}ALLOW_SERVICE_KEY": "true"}, None)
    except SettingsError as error:
        said = str(error).replace(READING_PREFIX, prefix)
        raise SettingsError(said, hint=error.hint.replace(READING_PREFIX, prefix)) from error
    assert project is not None
    texts = {
        name: text_from(given[name], f"the environment variable {prefix}{name.upper()}")
        for name in own
        if name in given
    }
    if ("email" in texts) != ("password" in texts):
        raise SettingsError(
            f"Expected {prefix}EMAIL and {prefix}PASSWORD together, found one alone.", hint="Set both, or neither."
        )
    return project, texts


@contextmanager
def opened(environment: Mapping[str, str]) -> Iterator[SupabaseSource]:
    """The runs of the project that the environment names, for whoever signs in there.

    Raises:
        SettingsError: If a setting is missing, wrong, or not known.
        AppError: If nobody can sign in.
    """
    settings, own = project_from(
        environment,
        PREFIX,
        OWN,
        may="may read it",
        hint=f"Set {PREFIX}URL and {PREFIX}KEY; with a public key {PREFIX}EMAIL and {PREFIX}PASSWORD too, where only"
        " who signs in may read the runs.",
    )
    project = Project(settings)
    reader = None
    try:
        if own:
            reader = sign_in(project, own["email"], own["password"])
        yield SupabaseSource(project, reader)
    finally:
        if reader is not None:
            reader.sign_out()
        project.close()
