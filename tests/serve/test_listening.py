"""An address and a port that cannot be used are said in one sentence, however the app is started."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from lib.serve.balancer import HEALTH

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 60
_OF_MAKE = re.compile(r"make(?:\[\d+\])?: \*\*\* ")


def make(target: str, *variables: str) -> list[str]:
    """The command; what is installed is taken as it is."""
    installed = [f"--old-file=.venv/installed{suffix}" for suffix in ("", "-serve")]
    return ["make", "--no-print-directory", *installed, f"RUN={sys.executable} -m", target, *variables]


def said_by(target: str, *variables: str) -> tuple[int, list[str]]:
    """The exit code of ``make``, and the lines that it writes to standard error but for its own."""
    done = subprocess.run(
        make(target, *variables), cwd=ROOT, capture_output=True, text=True, timeout=START_TIMEOUT_S, check=False
    )
    return done.returncode, [line for line in done.stderr.splitlines() if not _OF_MAKE.match(line)]


WRONG = [
    (["PORT=abc"], "Expected the port to be a number from 0 to 65535, found 'abc': say PORT=."),
    (["PORT=70000"], "Expected the port to be a number from 0 to 65535, found '70000': say PORT=."),
    (["PORT=-1"], "Expected the port to be a number from 0 to 65535, found '-1': say PORT=."),
    (["PORT="], "Expected the port to be a number from 0 to 65535, found nothing: say PORT=."),
    (
        ["PORT=0", "ADDRESS=no-machine.invalid"],
        "Expected an address of this machine, such as localhost or 0.0.0.0, found",
    ),
    (["PORT=0", "ADDRESS=https://runs"], "Expected an address of this machine, such as localhost or 0.0.0.0, found"),
    (
        ["PORT=0", f"ADDRESS={'x' * 70}.invalid"],
        "Expected an address of this machine, such as localhost or 0.0.0.0, found",
    ),
    # Of a network that is set aside for documentation: no machine has it.
    (
        ["PORT=0", "ADDRESS=192.0.2.1"],
        "Port 0 of 192.0.2.1 cannot be used (Cannot assign requested address): say PORT=",
    ),
]


@pytest.mark.parametrize("target", ["run", "serve"])
@pytest.mark.parametrize(("variables", "expected"), WRONG)
def test_where_nobody_can_listen_one_sentence_says_so(target: str, variables: list[str], expected: str) -> None:
    code, lines = said_by(target, *variables)
    assert code
    assert len(lines) == 1, lines
    assert lines[0].startswith(expected)


@pytest.mark.parametrize("target", ["run", "serve"])
def test_a_port_that_is_taken_is_one_sentence(target: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, lines = said_by(target, f"PORT={port}", "ADDRESS=127.0.0.1")
    assert code
    assert lines == [f"Port {port} of 127.0.0.1 cannot be used (Address already in use): say PORT= or ADDRESS=."]


@pytest.mark.parametrize("count", ["0", "x", "-2", "1.5", "", "9" * 5000])
def test_a_number_of_processes_that_is_none_is_one_sentence(count: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lib.serve", "--port=0", f"--processes={count}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 1
    assert re.fullmatch(
        r"Expected the number of processes to be a number from 1 to 1024, found .{3,50}: say PROCESSES=\.\n",
        done.stderr,
    )


def test_the_app_is_started_below_a_path_where_it_is_told_to(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (tmp_path / "log").open("w") as log:
        started = subprocess.Popen(
            make("run", f"PORT={port}", "ADDRESS=localhost", "BASE=runs"),
            cwd=ROOT,
            stdout=log,
            stderr=log,
            env=os.environ | {"RUNOFF_CACHE": ""},
            start_new_session=True,
        )
        try:

            def answers() -> bool:
                try:
                    return httpx.get(f"http://127.0.0.1:{port}/runs{HEALTH}", trust_env=False).status_code == 200
                except httpx.TransportError:
                    return False

            deadline = time.monotonic() + START_TIMEOUT_S
            while not answers():
                assert started.poll() is None, (tmp_path / "log").read_text()
                assert time.monotonic() < deadline, (tmp_path / "log").read_text()
                time.sleep(0.2)
        finally:
            os.killpg(started.pid, signal.SIGTERM)
            started.wait()
