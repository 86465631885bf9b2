"""Where uploads lie: a private folder for this process, in it one for each session, gone when they are.

A lock says that a process lives, so that what a dead one left is found, whatever its number was.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import stat
import sys
import tempfile
import threading
import time
from pathlib import Path

from lib.data.upload.refusals import UploadRefused

if sys.platform != "win32":
    import fcntl

PREFIX = "runoff-uploads-"
LOCK = "lock"
JUST_MADE_S = 60.0
"""A folder so young may be one that its process has not locked yet."""
FORGOTTEN_S = 7 * 86_400.0
"""Where the system has no locks: a folder that nobody wrote to for so long is left over."""

_OWN: dict[int, Path] = {}
_MAKING = threading.Lock()


def session_folder() -> Path:
    """A new folder that only this account may look into.

    Raises:
        UploadRefused: If there is no room for one.
    """
    try:
        with _MAKING:
            own = _OWN.get(os.getpid())
            if own is None or not own.is_dir():
                clear_leftovers()
                own = _OWN[os.getpid()] = _process_folder()
        return Path(tempfile.mkdtemp(prefix="session-", dir=own))
    except OSError as error:
        raise UploadRefused(
            f"The server has no place for uploads: {error.strerror}.", hint="Ask whoever runs the app."
        ) from error


def remove(folder: str, process: int) -> None:
    """Remove a folder and all that lies in it; not in a copy of the process, whose original still has it."""
    if process == os.getpid():
        shutil.rmtree(folder, ignore_errors=True)


def clear_leftovers(place: Path | None = None, now: float | None = None) -> None:
    """Remove what processes of this account left that are gone.

    Args:
        place: Where to look; by default where such folders are made.
        now: Seconds since 1970.
    """
    moment = time.time() if now is None else now
    with contextlib.suppress(OSError):
        for entry in os.scandir(place or tempfile.gettempdir()):
            if entry.name.startswith(PREFIX) and _is_left_over(entry, moment):
                shutil.rmtree(entry.path, ignore_errors=True)


def _process_folder() -> Path:
    made = Path(tempfile.mkdtemp(prefix=PREFIX))
    handle = os.open(made / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    if sys.platform != "win32":
        # Held until the process ends, however it ends.
        fcntl.flock(handle, fcntl.LOCK_EX)
    atexit.register(remove, str(made), os.getpid())
    return made


def _is_left_over(entry: os.DirEntry[str], now: float) -> bool:
    try:
        found = entry.stat(follow_symlinks=False)
        own = not hasattr(os, "getuid") or found.st_uid == os.getuid()
        age = now - found.st_mtime
        if not own or not stat.S_ISDIR(found.st_mode) or age < JUST_MADE_S:
            return False
        if sys.platform == "win32":
            return age > FORGOTTEN_S
        try:
            handle = os.open(os.path.join(entry.path, LOCK), os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            return True  # It died before it had one.
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(handle)
    except OSError:
        return False
    return True
