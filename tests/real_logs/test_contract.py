"""The laws of every source, held by a folder of real logs."""

from __future__ import annotations

import pytest

from lib.data.folder.source import FolderSource
from tests.data import test_source_contract as contract

CHANGES = {"test_what_changed_has_another_version_and_nothing_else_has"}
"""Nobody changes these logs."""
assert vars(contract).keys() >= CHANGES
globals().update(
    {name: law for name, law in vars(contract).items() if name.startswith("test_") and name not in CHANGES}
)

source, runs, curves = contract.source, contract.runs, contract.curves


@pytest.fixture(scope="module")
def make_source(logs):
    return lambda: FolderSource(logs)
