"""What is done once when the server starts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from streamlit import App

from lib.core.facts.errors import AppError
from lib.log.errors import reported
from lib.ui.session import deployment


@asynccontextmanager
async def lifespan(_: App) -> AsyncIterator[None]:
    """Give the log its form from the first entry on, and log at once what is wrong with the settings."""
    try:
        deployment.settings()
    except AppError as error:
        reported(error)
    yield
