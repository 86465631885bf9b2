"""Two strangers before the app of a module, each with a browser of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gate.stranger import Stranger


@pytest.fixture
def ann(app) -> Iterator[Stranger]:
    with Stranger(app) as ann:
        yield ann


@pytest.fixture
def eve(app) -> Iterator[Stranger]:
    with Stranger(app) as eve:
        yield eve
