"""The end of the server when it is asked to end, by Ctrl-C or a service manager: no failure."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from streamlit.starlette import App


@asynccontextmanager
async def asked_for(_: App) -> AsyncIterator[None]:
    """While the app runs: Uvicorn would end and then raise the signal again, which looks like a crash."""
    for number in (signal.SIGINT, signal.SIGTERM):
        server = getattr(signal.getsignal(number), "__self__", None)
        if hasattr(server, "should_exit") and hasattr(server, "force_exit"):
            signal.signal(number, partial(_end, server))
    yield


def _end(server: Any, *_: object) -> None:
    # Who asks once more does not wait for what is under way.
    server.force_exit, server.should_exit = server.should_exit, True
