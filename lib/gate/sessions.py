"""Which browser each session belongs to, and under which sign-in it reads.

Streamlit gives a session back to whoever names its id, and the id stands in addresses and logs. A browser is told from
others by the token that Streamlit gives it against forged requests: a cookie, which stands nowhere else.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from streamlit.web.server.starlette.starlette_app_utils import decode_xsrf_token_string
from streamlit.web.server.starlette.starlette_server_config import XSRF_COOKIE_NAME

MOST = 10_000
"""So many sessions are known; of more, the one that ran its page the longest ago is not given back any more. Those of a
sign-in go last: a stranger who opens many takes none from people who are signed in."""


@dataclass(frozen=True, slots=True)
class _Owner:
    browser: str
    ticket: str


class Sessions:
    """Whose each session is. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owners: dict[str, _Owner] = {}

    def note(self, session: str, browser: str, ticket: str = "") -> None:
        """Say whose a session is.

        Args:
            session: Its id.
            browser: From ``browser_of``; "" where it is not known.
            ticket: Of the sign-in that it reads under; "" for none.
        """
        with self._lock:
            self._owners.pop(session, None)
            self._owners[session] = _Owner(browser, ticket)
            if len(self._owners) > MOST:
                strangers = (each for each, owner in self._owners.items() if not owner.ticket and each != session)
                del self._owners[next(strangers, next(iter(self._owners)))]

    def is_of(self, session: str, browser: str) -> bool:
        """Whether a session belongs to this browser, which must be known."""
        with self._lock:
            owner = self._owners.get(session)
        return owner is not None and bool(browser) and hmac.compare_digest(owner.browser, browser)

    def ticket_of(self, session: str) -> str:
        """The ticket that a session reads under; "" for none."""
        with self._lock:
            owner = self._owners.get(session)
        return owner.ticket if owner is not None else ""

    def tickets_of(self, browser: str) -> frozenset[str]:
        """The tickets that the sessions of a browser read under."""
        with self._lock:
            owners = list(self._owners.values())
        return frozenset(each.ticket for each in owners if each.ticket and browser and each.browser == browser)

    def under(self, ticket: str) -> list[str]:
        """The sessions that read under a ticket."""
        with self._lock:
            return [session for session, owner in self._owners.items() if ticket and owner.ticket == ticket]


def browser_of(cookies: Mapping[str, str]) -> str:
    """What tells a browser from others, by its cookies; "" where they do not."""
    token, _ = decode_xsrf_token_string(cookies.get(XSRF_COOKIE_NAME, ""))
    return hashlib.sha256(token).hexdigest() if token else ""


SESSIONS = Sessions()
"""Those of this process."""
