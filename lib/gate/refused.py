"""What the log says of pages that were not let in: a proxy that hides the app's address looks like another site."""

from __future__ import annotations

import logging

LOGGER = "runoff.gate"
_MOST = 20
"""So many origins are named, each once: anybody can say any."""
_LONGEST = 200


class Refused:
    """Names each origin once. Of the server's loop only."""

    def __init__(self) -> None:
        self._named: set[str] = set()

    def note(self, origin: str, host: str) -> None:
        """Say that a page was not let in.

        Args:
            origin: Of the page.
            host: What the request calls the app.
        """
        origin = origin[:_LONGEST]
        if origin in self._named or len(self._named) >= _MOST:
            return
        self._named.add(origin)
        logging.getLogger(LOGGER).warning(
            "Refused a page of %s, which asked for %s. If it is this app behind a proxy, let the proxy keep the Host"
            " header or say it as X-Forwarded-Host, or list the page's origin in server.corsAllowedOrigins.",
            origin,
            host[:_LONGEST] or "no host",
        )


REFUSED = Refused()
"""Those of this process."""
