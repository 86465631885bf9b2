"""What is done once when the server starts, and when it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from streamlit.starlette import App

from lib.core.facts.errors import AppError
from lib.gate.ending import asked_for
from lib.log.errors import reported
from lib.ui.session import deployment


@asynccontextmanager
async def lifespan(app: App) -> AsyncIterator[None]:
    """Give the log its form from the first entry on, log at once what is wrong with the settings, and end well."""
    try:
        deployment.settings()
    except AppError as error:
        reported(error)
    async with asked_for(app):
        yield
