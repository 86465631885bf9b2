"""What is done once when the server starts, and when it ends."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from streamlit.starlette import App

from lib.core.facts.errors import AppError
from lib.gate.ending import ends_well
from lib.gate.server import running
from lib.gate.slow import Connections, watched
from lib.gate.unfinished import Unfinished, bound
from lib.log.errors import LOGGER, reported
from lib.ui.service import gone, overtaken
from lib.ui.session import deployment

MOST_ARENAS = 2
"""How many heaps glibc divides its memory into. By default that is one for each thread, up to eight for each core, and
what is freed in one serves no other: with many sessions, which draw in threads of their own, a tenth of the process."""
_M_ARENA_MAX = -8
"""What glibc's ``mallopt`` calls it."""


@asynccontextmanager
async def lifespan(_: App) -> AsyncIterator[None]:
    """Give the log its form at once, say what is wrong in the settings, send whole pages, and end well."""
    share_heaps()
    try:
        deployment.settings()
    except AppError as error:
        reported(error)
    for said in deployment.unknown_variables(os.environ):
        logging.getLogger(LOGGER).warning("%s", said)
    overtaken.wait()
    server = running()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(gone.watched())
        if server is not None:
            ends_well(server)
            unfinished = Unfinished()
            bound(server.config, unfinished)
            await stack.enter_async_context(watched(Connections(server.server_state.connections), unfinished))
        yield


def share_heaps() -> None:
    """Let threads share heaps (``MOST_ARENAS``), where there are such and the operator has not said how many."""
    if "MALLOC_ARENA_MAX" not in os.environ:
        with contextlib.suppress(OSError, AttributeError, TypeError):
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, MOST_ARENAS)
