"""What a program of this folder was told: its place and its sessions, as JSON on standard input.

Scripts of this folder run with another interpreter than the app's, and import nothing of it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

said: dict[str, Any] = json.load(sys.stdin)
place: str = said["place"]
sessions: list[dict[str, Any]] = said["sessions"]


def parted(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The numbers and the texts among what is logged at once."""
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    return {name: value for name, value in values.items() if name not in texts}, texts


def die() -> None:
    """End as a process that the system kills: nothing of Python's or the program's own is run any more."""
    os.kill(os.getpid(), signal.SIGKILL)
