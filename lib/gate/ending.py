"""The end of the server when it is asked to end, by Ctrl-C or a service manager: no failure."""

from __future__ import annotations

import signal
from functools import partial
from typing import Any

from lib.gate.server import ENDING


def ends_well(server: Any) -> None:
    """Let a server end by itself when it is asked to: it would end and then raise the signal again, as in a crash."""
    for number in ENDING:
        if getattr(signal.getsignal(number), "__self__", None) is server:
            signal.signal(number, partial(_end, server))


def _end(server: Any, *_: object) -> None:
    # Who asks once more does not wait for what is under way.
    server.force_exit, server.should_exit = server.should_exit, True
