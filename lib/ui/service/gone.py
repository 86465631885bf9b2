"""What was kept for people who have gone is let go by itself, whoever else comes or does not.

Streamlit keeps a session for two minutes for its browser to come back, and with it the page that it drew; and what is
remembered of reads has its time. But each is dropped only when something else is put in its place: after the last
visitor of a day nothing would be.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from streamlit import runtime
from streamlit.runtime import RuntimeState

from lib.ui.session import memory

LOGGER = "runoff.service.gone"
LOOK_EVERY_S = 30.0


def let_go() -> bool:
    """Let go what is too old; call it in the server's loop. Whether nobody is here, nor may come back."""
    memory.expire()
    running = runtime.get_instance()
    kept = stored_of(running)
    kept.expire()
    return not kept._data and running.state is RuntimeState.NO_SESSIONS_CONNECTED


def give_back() -> None:
    """Give memory that nothing uses any more back to the system; takes half a second, while nobody is here."""
    # A session and what it drew hold each other, and the first one is among what ``reads.settle`` has frozen.
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def stored_of(running: Any) -> Any:
    """The sessions that Streamlit keeps for browsers to come back: a ``TTLCache`` of its own."""
    return running._session_mgr._session_storage._cache


@asynccontextmanager
async def watched() -> AsyncIterator[None]:
    """Look now and then while the block lasts."""
    task = asyncio.create_task(_look())
    try:
        yield
    finally:
        task.cancel()


async def _look() -> None:
    was_empty = True
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            is_empty = not runtime.exists() or let_go()
            if is_empty and not was_empty:
                give_back()
            was_empty = is_empty
        except Exception:
            # What is not let go now is looked at again.
            logging.getLogger(LOGGER).exception("What was kept for people who have gone could not be looked at.")
