"""Logs that the real programs write, read back: ``make writers``.

The programs are no part of the app's environment: ``make writers`` installs them into one of their own
(``requirements-writers.txt``), and each is started as a process of that interpreter, named by ``RUNOFF_WRITERS``.
Without it the suite is skipped.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.writers.processes import WRITERS, write
from tests.writers.told import CONFIG, NESTED, sessions_of

HERE = Path(__file__).parent
collect_ignore = ["programs"]
"""Scripts of the other interpreter."""


def pytest_configure() -> None:
    given = os.environ.get(WRITERS)
    if given and not shutil.which(given):
        raise pytest.UsageError(f"Expected in {WRITERS} the path of a Python that has the writers, found {given!r}.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the suite as a whole, which is said once, where there are no programs."""
    own = [item for item in items if HERE in item.path.parents]
    if not own or os.environ.get(WRITERS):
        return
    why = f"{WRITERS} names no Python that has the writers: make writers makes one and sets it."
    own[0].add_marker(pytest.mark.skip(reason=why))
    items[:] = [item for item in items if item not in own[1:]]
    config.hook.pytest_deselected(items=own[1:])


@pytest.fixture(scope="session")
def root(tmp_path_factory) -> Path:
    """The folder below which all programs have their places."""
    return tmp_path_factory.mktemp("written")


@pytest.fixture(scope="session")
def written(root) -> Callable[..., Path]:
    """The place where a program has logged the sessions of ``told``: ``written(place, program, **settings)``."""

    @cache
    def made(place: str, program: str, config: str = "flat", **settings: str) -> Path:
        where = root / place
        filled = {name: value.format(place=where) for name, value in settings.items()}
        write(program, where, *sessions_of(NESTED if config == "nested" else CONFIG), **filled)
        return where

    return made
