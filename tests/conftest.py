"""What every test shares: the browser, nothing remembered from the test before, and, on request, no skipped test."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import settings

from lib.data.folder import following, look
from lib.data.folder.memory.remembered import CACHE_VARIABLE

pytest_plugins = ["tests.browser.fixtures"]

NO_SKIP = "RUNOFF_NO_SKIP"
"""Environment variable: set, a run in which any test was skipped fails."""

# Tests say what is there and what is not: they wait for it, and remember nothing that others have read.
os.environ[CACHE_VARIABLE] = ""
following.PATIENCE_S = 120.0
look.GONE_S = following.ROOT_GONE_S = 0.0

# On a busy machine an example may take as long as it takes.
settings.register_profile("default", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=20)
settings.load_profile("default")


@pytest.fixture(autouse=True)
def nothing_remembered():
    if reads := sys.modules.get("lib.ui.session.reads"):
        from tests.forgetting import forget_reads

        forget_reads()
        reads._SOURCES.forget()


def skipped_reports(config: pytest.Config) -> list:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.stats.get("skipped", []) if reporter and os.environ.get(NO_SKIP) else []


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail for skips; under xdist the workers have no terminal reporter, and the controller has all reports."""
    if skipped_reports(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if skipped := skipped_reports(config):
        terminalreporter.write_line(f"{len(skipped)} skipped: that fails this run, because {NO_SKIP} is set.", red=True)
