"""Which browser was offered which file: a download's address, told to somebody else, is worth nothing to them."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict

from starlette.types import Message, Send

MOST = 20_000
"""So many offers are known; of more, the oldest are good no longer. A page that is drawn anew makes its own again."""
_PLACE = b"/media/"
_FILE = re.compile(rb"/media/([0-9A-Za-z]+)")


class Offered:
    """Offers, by the browser and the file. Safe to share between threads."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def note(self, browser: str, file: str) -> None:
        """Say what a browser is offered.

        Args:
            browser: From ``browser_of``.
            file: The file's name in its address, without what follows a point.
        """
        with self._lock:
            self._known[browser, file] = None
            self._known.move_to_end((browser, file))
            if len(self._known) > self._most:
                self._known.popitem(last=False)

    def is_offered(self, browser: str, path: str) -> bool:
        """Whether a browser was told of this address."""
        found = _FILE.match(path.encode())
        with self._lock:
            return bool(browser) and found is not None and (browser, found[1].decode()) in self._known


def telling(send: Send, browser: str, offered: Offered) -> Send:
    """``send`` of a page's websocket, that notes the files of which the page is told."""

    async def sent(message: Message) -> None:
        data: bytes = message.get("bytes") or b""
        if _PLACE in data:
            for file in _FILE.findall(data):
                offered.note(browser, file.decode())
        await send(message)

    return sent


OFFERED = Offered()
"""What this process has offered."""
