"""Logs that the real programs write, read back: ``make writers``.

The programs are no part of the app's environment: ``make writers`` installs them into one of their own
(``requirements-writers.txt``), and each is started as a process of that interpreter, named by ``RUNOFF_WRITERS``.
Without it the suite is skipped. Real trainers are asked by ``make writers-torch``, in an environment with PyTorch.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.writers.places import PLACES
from tests.writers.processes import WRITERS

HERE = Path(__file__).parent
WITH_TORCH = "RUNOFF_WRITERS_TORCH"
"""Environment variable: the interpreter has PyTorch and what trains with it; ``make writers-torch`` sets it."""
collect_ignore = ["programs"] if os.environ.get(WITH_TORCH) else ["programs", "test_trainers.py"]
"""Scripts of the other interpreter, and the tests of programs that take gigabytes."""


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
def written(tmp_path_factory) -> Callable[[str], Path]:
    """The folder of one of the ``PLACES``, in which its program has logged the sessions of ``told``."""
    root = tmp_path_factory.mktemp("written")

    @cache
    def folder_of(place: str) -> Path:
        PLACES[place].fill(root / place)
        return root / place

    return folder_of
