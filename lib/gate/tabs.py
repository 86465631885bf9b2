"""How many pages are open at once in this process.

Each is a websocket with four open files, and a session in memory. A process that may open no more files answers
nobody any more, so there is a most. It is for all together and not for each address, since everybody may come
through one proxy, whose address is all that we see. Pages of people who are signed in come in beyond it, up to as many
again: so a stranger who opens all of them keeps nobody out who has signed in.
"""

from __future__ import annotations

import contextlib

MOST = 1_000
"""Many times what one process can draw: after a break of the network, pages come back before the old ones are gone."""
_FILES_EACH = 10
"""Open files that there must be for each of them: four, twice as many pages, and what a process opens besides."""


class Tabs:
    """Counts open pages. Of the server's loop only.

    Args:
        most: So many may be open; of people who are signed in twice as many, with all others.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._open = 0

    def enter(self, *, signed_in: bool) -> bool:
        """Count a page that opens; whether it may. One that may not is not counted."""
        if self._open >= self._most * (2 if signed_in else 1):
            return False
        self._open += 1
        return True

    def leave(self) -> None:
        """A page that was counted is closed."""
        self._open -= 1


def most_of(files: int) -> int:
    """How many pages may be open in a process that may open so many files."""
    return max(1, min(MOST, files // _FILES_EACH))


def _files() -> int:
    """How many files this process may open, after it has asked for what it may ask for."""
    try:
        import resource
    except ImportError:
        return MOST * _FILES_EACH
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST * _FILES_EACH if hard == resource.RLIM_INFINITY else min(hard, MOST * _FILES_EACH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return MOST * _FILES_EACH if soft == resource.RLIM_INFINITY else soft


TABS = Tabs(most_of(_files()))
"""Those of this process."""
