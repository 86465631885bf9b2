"""What is said over and over: so many times a minute it stands in the log, then only how often it came.

Anybody who reaches the port can make the server complain, so none of its complaints may fill a disk.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from lib.log.lines import LEFT_OUT

MOST = 10
"""Entries of one kind in a minute: enough to see that it goes on."""
MOST_OF_PAGES = 100
"""Of what failed on a page: each has an id, which somebody may ask for."""
WINDOW_S = 60.0
_MOST_KINDS = 1_000


@dataclass(slots=True)
class _Kind:
    since: float
    came: int = 0


class Often(logging.Filter):
    """Lets through what is said for the first time, and of what is said often the first of each minute.

    Of one kind is what is said at one place of the code, about an error that was raised at one place. What is less
    than a warning passes: whoever lets requests be logged wants all of them.

    Args:
        most: So many of one kind in a minute.
        clock: Seconds that never go back.
    """

    def __init__(self, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._most, self._clock = most, clock
        self._lock = threading.Lock()
        self._kinds: dict[tuple[object, ...], _Kind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        now, key = self._clock(), _key(record)
        with self._lock:
            kind = self._kinds.get(key)
            left_out = 0
            if kind is None or now - kind.since >= WINDOW_S:
                left_out = max(0, kind.came - self._most) if kind is not None else 0
                if len(self._kinds) >= _MOST_KINDS:
                    self._kinds.clear()
                kind = self._kinds[key] = _Kind(now)
            kind.came += 1
            came = kind.came
        if left_out:
            setattr(record, LEFT_OUT, f"{left_out:,} more of this kind were left out before")
        elif came == self._most:
            setattr(record, LEFT_OUT, "further ones of this kind are left out for a minute")
        return came <= self._most


def _key(record: logging.LogRecord) -> tuple[object, ...]:
    said = record.name, record.pathname, record.lineno
    if not record.exc_info or record.exc_info[0] is None:
        return said
    trace = record.exc_info[2]
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = (trace.tb_frame.f_code.co_filename, trace.tb_lineno) if trace is not None else ()
    return *said, record.exc_info[0], place
