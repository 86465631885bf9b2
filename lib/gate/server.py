"""The server that this process runs, which Streamlit starts and keeps to itself."""

from __future__ import annotations

import signal
from typing import Any

ENDING = (signal.SIGINT, signal.SIGTERM)
"""The signals by which it is asked to end."""


def running() -> Any | None:
    """Uvicorn's server, which takes the signals of this process while it runs; ``None`` where another one does."""
    for number in ENDING:
        server = getattr(signal.getsignal(number), "__self__", None)
        if hasattr(server, "should_exit") and hasattr(server, "force_exit"):
            return server
    return None
