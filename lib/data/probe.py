"""Whether the source of a deployment answers: one small question, for monitoring, by nobody in particular."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from lib.core.facts.errors import AccessDenied
from lib.data.mlflow_server.settings import MlflowSettings
from lib.data.settings import Settings
from lib.data.supabase.settings import SignIn, SupabaseSettings

PATIENCE_S = 5.0
"""A source that takes longer to say a word is of no use to somebody who waits for curves."""


def probe(settings: Settings) -> None:
    """Ask the source.

    Args:
        settings: Where the runs are. The demo always answers.

    Raises:
        AppError: If it does not answer, or refuses this deployment.
    """
    if settings.supabase is not None:
        _ask_project(settings.supabase)
    elif settings.mlflow is not None:
        _ask_server(settings.mlflow)
    elif settings.runs is not None:
        _look_into(settings.runs)


def _ask_project(settings: SupabaseSettings) -> None:
    from lib.data.supabase.client import Access, project_of

    asked = replace(settings, timeout_s=min(settings.timeout_s, PATIENCE_S))
    try:
        Access(project_of(asked)).read(
            settings.jobs_table,
            ("id",),
            ("id",),
            lambda table, columns: table.select(*columns).limit(1),
            lambda answer, _: None,
        )
    except AccessDenied:
        # Nobody has signed in to ask this: where people must, being refused is the database's right answer.
        if settings.sign_in is not SignIn.REQUIRED:
            raise


def _ask_server(settings: MlflowSettings) -> None:
    from lib.data.mlflow_server.client import server_of

    asked = replace(settings, timeout_s=min(settings.timeout_s, PATIENCE_S))
    server_of(asked).post("experiments/search", {"max_results": 1})


def _look_into(folder: str) -> None:
    from lib.data.folder.scan import check_root

    check_root(Path(os.path.expanduser(folder)))
