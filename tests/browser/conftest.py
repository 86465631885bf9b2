"""What the tests of this folder share: one server with the embedded data, and one group in a parallel run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page

from lib.core.curves.metric_curves import frame_of
from lib.data.demo.source import EmbeddedSource
from tests.browser.actions import FIVE
from tests.browser.harness import Server

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the browser tests of a parallel run together, so that they share one server and one browser."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def app(serve: Callable[..., Server]) -> Server:
    """The app with its embedded data."""
    return serve()


@pytest.fixture
def page(new_page: Callable[..., Page], app: Server) -> Page:
    """A fresh, watched page of the app with its embedded data."""
    return new_page(app)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """What the five runs of the demo logged."""
    return frame_of(EmbeddedSource().load_curves(FIVE).values())
