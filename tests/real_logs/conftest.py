"""Tests that read logs of real trainings, which are not part of the project: ``make real-logs LOGS=folder``.

The folder holds, as their authors published them:

``hf_trainer_state/semeval_human_values``   of github.com/su0315/SemEval23_Human_Values_Detection (MIT): a sweep of ten
                                            runs, one of which stands there a second time
``hf_trainer_state/mt5_news_summaries``     of NijatZeynalov/mT5-based-azerbaijani-news-summarize (Apache-2.0): stopped
                                            at three quarters
``hf_trainer_state/tinyllama_dpo``          of Silver-8ce/llamaTest (Apache-2.0): preferences, 29 metrics

and may hold logs of other formats beside ``hf_trainer_state``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lib.core.facts.query import RunQuery
from lib.core.facts.runs import RunSummary
from lib.data.folder.source import FolderSource
from tests.app.conftest import _own_settings, on_folder  # noqa: F401 - fixtures

LOGS = "RUNOFF_REAL_LOGS"
"""Environment variable: the folder of the real logs."""
STATES = "hf_trainer_state"


def pytest_configure() -> None:
    given = os.environ.get(LOGS)
    if not given:
        raise pytest.UsageError(f"The tests of real logs need their folder: make real-logs LOGS=folder, or {LOGS}.")
    if not (Path(given).expanduser() / STATES).is_dir():
        raise pytest.UsageError(f"Expected a folder {STATES} in the folder of real logs, {given!r}: there is none.")


@pytest.fixture(scope="session")
def logs() -> Path:
    """The folder of the real logs."""
    return Path(os.environ[LOGS]).expanduser().resolve()


@pytest.fixture(scope="session")
def source(logs: Path) -> FolderSource:
    return FolderSource(logs)


@pytest.fixture(scope="session")
def runs(source: FolderSource) -> dict[str, RunSummary]:
    """Every run by its name."""
    return {run.name: run for run in source.list_runs(RunQuery(limit=10**6)).runs}
