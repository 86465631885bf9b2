"""Where runs are written to, and as whom: from the environment, since everybody can see the arguments of a command."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from lib.core.facts.errors import SettingsError
from lib.data.supabase.command import project_from
from lib.data.supabase.settings import SupabaseSettings, is_service_key

PREFIX = "RUNOFF_IMPORT_"
"""Environment variables: the settings of a project as for reading it, and who owns the runs."""
OWN = ("user", "email", "password")


class ImportSettings:
    """A project to write into.

    Attributes:
        project: As for reading; a service key is taken, since only this command uses it.
        user_id: Who owns the runs: needed with a service key, which is nobody's.
        email, password: Somebody to sign in as, with a public key.
    """

    def __init__(self, project: SupabaseSettings, user_id: str | None, email: str | None, password: str | None) -> None:
        self.project = project
        self.user_id, self.email, self.password = user_id, email, password

    def __repr__(self) -> str:
        return f"ImportSettings({self.project!r}, user_id={self.user_id!r})"


def import_settings_from(environment: Mapping[str, str]) -> ImportSettings:
    """Read the settings.

    Raises:
        SettingsError: If one is missing, wrong, or not known.
    """
    project, own = project_from(
        environment,
        PREFIX,
        OWN,
        may="may write",
        hint=f"Set {PREFIX}URL and {PREFIX}KEY, and {PREFIX}USER or {PREFIX}EMAIL and {PREFIX}PASSWORD.",
    )
    signs_in = "email" in own
    if is_service_key(project.key):
        if signs_in or "user" not in own:
            raise SettingsError(
                f"Expected {PREFIX}USER beside a service key, which is nobody's: the id of who will own the runs.",
                hint="The dashboard shows it under Authentication, Users. E-mail and password are for public keys.",
            )
    elif not signs_in:
        raise SettingsError(
            f"Expected {PREFIX}EMAIL and {PREFIX}PASSWORD beside a public key, with which nobody may write unnamed.",
            hint=f"Or set a service key and {PREFIX}USER.",
        )
    if "user" in own and not _is_uuid(own["user"]):
        raise SettingsError(
            f"Expected {PREFIX}USER to be a user's id (a uuid), found something else.",
            hint="The dashboard shows it under Authentication, Users.",
        )
    return ImportSettings(project, own.get("user", "").lower() or None, own.get("email"), own.get("password"))


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
