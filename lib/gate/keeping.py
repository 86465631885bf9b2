"""The cookie that keeps a sign-in across a reload: written by an answer of ours, so that no script can read it.

What the page's script shows for it is a code that is good once, for a minute. Where the gate is not in place, the
page's script writes the cookie itself.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

COOKIE = "runoff_session"
KEPT_S = 12 * 3600
"""How long a sign-in lasts, used or not: a working day."""
PATH = "runoff/sign-in"
"""Where the page's script shows its code, below the address of the app."""

_GOOD_S = 60.0
_MOST = 1_000


@dataclass(frozen=True, slots=True)
class _Wanted:
    ticket: str
    browser: str
    until: float


class Codes:
    """Codes and the tickets that they are exchanged for. Safe to share between threads.

    Attributes:
        is_asked: Whether the gate is in place, which exchanges them.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.is_asked = False
        self._clock = clock
        self._lock = threading.Lock()
        self._wanted: dict[str, _Wanted] = {}

    def put(self, ticket: str, browser: str) -> str:
        """A code for a ticket.

        Args:
            ticket: What the cookie shall hold; "" to remove it.
            browser: Who may exchange the code (``browser_of``); "" where that is not known.
        """
        code = secrets.token_urlsafe(32)
        with self._lock:
            now = self._clock()
            kept = [(each, wanted) for each, wanted in self._wanted.items() if wanted.until > now]
            self._wanted = dict(kept[-_MOST:])
            self._wanted[code] = _Wanted(ticket, browser, now + _GOOD_S)
        return code

    def take(self, code: str, browser: str) -> str | None:
        """The ticket of a code, once; ``None`` where it is not good."""
        with self._lock:
            wanted = self._wanted.pop(code, None)
        if wanted is None or wanted.until <= self._clock() or wanted.browser != browser:
            return None
        return wanted.ticket


def cookie(ticket: str, path: str, *, secure: bool, http_only: bool = True) -> str:
    """The cookie as a header or a script sets it; without a ticket it is removed.

    Args:
        ticket: The random number that stands for the sign-in.
        path: Of the app.
        secure: Whether it is sent over TLS only.
        http_only: Whether scripts cannot read it; a script cannot write such a one.
    """
    marks = ("; Secure" if secure else "") + ("; HttpOnly" if http_only else "")
    return f"{COOKIE}={ticket}; Max-Age={KEPT_S if ticket else 0}; Path={path}; SameSite=Strict{marks}"


CODES = Codes()
"""Those of this process."""
