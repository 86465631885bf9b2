"""Starting the programs that write, as processes of the interpreter that has them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from tests.writers.told import KILLED, Session

WRITERS = "RUNOFF_WRITERS"
"""Environment variable: the Python that has the programs; ``make writers`` makes one and sets it."""
PROGRAMS = Path(__file__).with_name("programs")
MOST_S = 180

_QUIET = {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "WANDB_ERROR_REPORTING": "false",
    "WANDB_MODE": "offline",
    "WANDB_SILENT": "true",
}
"""No program calls anybody."""


def write(program: str, place: Path, *sessions: Session, **settings: str) -> None:
    """Let a program log some sessions in one process, the one after the other.

    Args:
        program: The name of a script in ``programs``.
        place: The folder that it logs to; made where it is not there.
        sessions: What it logs. Only the last may be one that is killed.
        settings: More of the environment.

    Raises:
        AssertionError: If it fails, or calls a server.
    """
    place.mkdir(parents=True, exist_ok=True)
    home = place.parent / f"home of {place.name}"
    home.mkdir(exist_ok=True)
    said = json.dumps({"place": str(place), "sessions": [asdict(each) for each in sessions]})
    with _nobody_called() as proxy:
        environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("WANDB_", "MLFLOW_", "PYTHON"))
            },
            **_QUIET,
            **{name: proxy for each in ("http_proxy", "https_proxy", "all_proxy") for name in (each, each.upper())},
            "no_proxy": "127.0.0.1,localhost",
            "NO_PROXY": "127.0.0.1,localhost",
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home),
            "PYTHONUTF8": "1",
            **settings,
        }
        ended = subprocess.run(
            [os.environ[WRITERS], str(PROGRAMS / f"{program}.py")],
            input=said,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            cwd=home,
            env=environment,
            timeout=MOST_S,
        )
    expected = -signal.SIGKILL if sessions[-1].end == KILLED else 0
    assert ended.returncode == expected, f"{program} ended with {ended.returncode}:\n{ended.stderr[-4000:]}"


@contextmanager
def _nobody_called() -> Iterator[str]:
    """The address of a proxy that answers nobody; whoever asks it for a way out fails."""
    with socket.socket() as proxy:
        proxy.bind(("127.0.0.1", 0))
        proxy.listen()
        yield f"http://127.0.0.1:{proxy.getsockname()[1]}"
        proxy.setblocking(False)
        try:
            caller, _ = proxy.accept()
        except BlockingIOError:
            return
        with caller:
            caller.settimeout(1)
            raise AssertionError(f"A program called a server: {caller.recv(200)!r}")
