"""Programs that are started, asked for their health, and stopped."""

from __future__ import annotations

import ctypes
import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

STOP_TIMEOUT_S = 10.0
"""How long a program may take to end when it is asked to; then it is killed."""
_ASKED_EVERY_S = 0.05
_PR_SET_PDEATHSIG = 1


class Program:
    """One program of the service, which may be started again when it ended.

    Args:
        name: What messages call it.
        command: The program and its arguments.
        host: The numeric address where it answers.
        port: Where it answers.
        health: The path where it says that it is up.
        folder: Where it runs.
        environment: All of its environment; ours where there is none.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        host: str,
        port: int,
        health: str,
        folder: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self.port = name, port
        self._command, self._host, self._health = command, host, health
        self._folder, self._environment = folder, environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the process that was started last; 0 before."""
        return self._process.pid if self._process else 0

    @property
    def ended(self) -> int | None:
        """The exit code, below zero the signal, of a process that was started and has ended."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Start it. What it says on standard output is left out: each would print an address of its own."""
        self._process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            preexec_fn=_end_with_starter if sys.platform == "linux" else None,
        )

    def answers(self) -> bool:
        """Whether it says that it is up."""
        connection = http.client.HTTPConnection(self._host, self.port, timeout=5)
        try:
            connection.request("GET", self._health)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def ask_to_end(self) -> None:
        """Ask it to end; nothing happens where it has."""
        if self._process:
            self._process.terminate()

    def kill(self) -> None:
        """End it, whatever it does."""
        if self._process:
            self._process.kill()
            self._process.wait()


def stop(programs: Sequence[Program]) -> None:
    """End all of them; those that do not end by themselves after ``STOP_TIMEOUT_S`` are killed."""
    for program in programs:
        program.ask_to_end()
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while any(program.pid and program.ended is None for program in programs) and time.monotonic() < deadline:
        time.sleep(_ASKED_EVERY_S)
    for program in programs:
        program.kill()


def _end_with_starter() -> None:
    """Let Linux end a program when whoever started it is killed. Safe after a fork: the starter has one thread."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
