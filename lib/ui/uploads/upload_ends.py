"""When uploads go: some minutes after their session's browser is gone, whoever else comes or does not.

A session that nobody looks at any more is kept by Streamlit for its browser to come back, and then forgotten at some
later moment, which need not come.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable

from streamlit import runtime

from lib.data.upload.upload import Upload

GONE_S = 300.0
"""A browser that does not come back for so many seconds has ended its session: Streamlit keeps it for 120."""
LOOK_S = 30.0
"""Sessions are looked at so often, in seconds."""


class Ends:
    """Uploads by the session that holds them. Safe to share between threads.

    Args:
        is_active: Whether a browser looks at a session.
        clock: Seconds that never go back.
    """

    def __init__(self, is_active: Callable[[str], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._is_active, self._clock = is_active, clock
        self._lock = threading.Lock()
        self._held: dict[str, tuple[weakref.ref[Upload], float]] = {}
        self._is_looking = False

    def watch(self, session: str, upload: Upload) -> None:
        """Close an upload when its session has ended."""
        with self._lock:
            self._held[session] = weakref.ref(upload), self._clock()
            if not self._is_looking:
                self._is_looking = True
                threading.Thread(target=self._look_on, name="runoff-uploads", daemon=True).start()

    def look(self) -> bool:
        """Look at all sessions once, and say whether there are any left."""
        now = self._clock()
        with self._lock:
            held = dict(self._held)
        for session, (upload, seen) in held.items():
            found = upload()
            if found is None or not found.items:
                gone = True
            elif self._is_active(session):
                gone, seen = False, now
            else:
                gone = now - seen > GONE_S
            if gone and found is not None:
                found.close()
            with self._lock:
                # Not where the session has another upload by now.
                if self._held.get(session, (None, 0.0))[0] is upload:
                    if gone:
                        del self._held[session]
                    else:
                        self._held[session] = upload, seen
        with self._lock:
            self._is_looking = bool(self._held)
            return self._is_looking

    def _look_on(self) -> None:
        while True:
            time.sleep(LOOK_S)
            if not self.look():
                return


def _is_active(session: str) -> bool:
    return runtime.exists() and runtime.get_instance().is_active_session(session)


_ENDS = Ends(_is_active)


def watch(session: str, upload: Upload) -> None:
    """Close an upload when its session has ended; where no server runs, whoever holds it does."""
    if runtime.exists():
        _ENDS.watch(session, upload)
