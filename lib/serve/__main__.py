"""``python -m lib.serve``: start the app in several processes behind one port, until Ctrl-C.

An app of Streamlit is one Python process, and Python computes on one core at a time. Caddy listens on the port and
gives each browser a cookie that names its process, so that all its tabs, and its sign-in, are in one. A process that
ends is started again.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from lib.log.lines import Form, form_of, line
from lib.serve import balancer
from lib.serve.listening import COUNTS, PORTS, CannotServe, endpoint, number_from
from lib.serve.processes import Program, stop

ROOT = Path(__file__).parents[2]
LOOPBACK = "127.0.0.1"
START_TIMEOUT_S = 120.0
PAUSE_S = 1.0
"""Between the end of a process and its next start, so that one that cannot live keeps no core busy."""
LOOKED_EVERY_S = 0.2


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal comes; return the exit code."""
    options = _parser().parse_args(arguments)
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Under nohup it shall outlive the terminal.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda which, _: signals.append(which))
    try:
        port = number_from(options.port, "the port", "PORT", PORTS)
        processes = number_from(options.processes, "the number of processes", "PROCESSES", COUNTS)
        serve(options.address, port, processes, signals, options.base)
    except CannotServe as error:
        sys.stderr.write(f"{_entry(str(error), 'error')}\n")
        return 1
    _say("Stopped.")
    return 0


def serve(address: str, port: int, count: int, signals: Sequence[int], base: str = "") -> None:
    """Start everything, watch it, and end everything when a signal came; below a path where there is one.

    Raises:
        CannotServe: If it cannot start, or if the balancer ended.
    """
    caddy = balancer.program()
    if caddy is None:
        raise CannotServe("Expected Caddy, found none: run make serve, or pip install -r requirements-serve.txt.")
    host, port = endpoint(address, port)
    ports = free_ports(count)
    processes = [
        Program(f"Process {number}", _streamlit(each, base), LOOPBACK, each, balancer.health(base), ROOT)
        for number, each in enumerate(ports, 1)
    ]
    log = "console" if _log_form() is Form.PLAIN else "json"
    with _folder() as name:
        told = Path(name) / "caddy.json"
        told.write_text(json.dumps(balancer.configuration(host, port, ports, base, log)), encoding="utf-8")
        # Caddy keeps what it likes to keep in these folders, and none of it is needed.
        environment = os.environ | dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), name)
        asked_at = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(host, host)
        command = [caddy, "run", "--config", str(told)]
        front = Program("Caddy", command, asked_at, port, balancer.health(base), ROOT, environment)
        try:
            _start(processes, signals)
            _start([front], signals)
            if not signals:
                _say(_how_it_is_served(address, host, port, base, processes))
            _watch(processes, front, signals)
        finally:
            stop([front, *processes])


def _folder() -> tempfile.TemporaryDirectory[str]:
    """For what Caddy is told, until it ends."""
    try:
        return tempfile.TemporaryDirectory(prefix="runoff-")
    except OSError as error:
        raise CannotServe(
            f"Expected a folder for temporary files, found none that can be written ({error.strerror or error}):"
            " let TMPDIR name one (in a container that is read-only, mount one at /tmp)."
        ) from error


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listens on, all different."""
    listeners = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def _streamlit(port: int, base: str = "") -> list[str]:
    return [
        *(sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app.py"), "--server.headless=true"),
        *(f"--server.port={port}", f"--server.address={LOOPBACK}", "--server.fileWatcherType=none"),
        # Its port is nobody's business: people go through the balancer.
        "--logger.level=warning",
        *([f"--server.baseUrlPath={base}"] if base else []),
    ]


def _start(programs: Sequence[Program], signals: Sequence[int]) -> None:
    """Start them and wait until all answer, or a signal came."""
    if signals:
        return
    for program in programs:
        program.start()
    deadline = time.monotonic() + START_TIMEOUT_S
    waiting = list(programs)
    while waiting and not signals:
        for program in waiting:
            if program.ended is not None:
                raise CannotServe(f"{program.name} ended with {program.ended} before it answered.")
        if time.monotonic() > deadline:
            raise CannotServe(f"{waiting[0].name} did not answer within {START_TIMEOUT_S:.0f} s.")
        waiting = [program for program in waiting if not program.answers()]
        if waiting:
            time.sleep(LOOKED_EVERY_S)


def _watch(processes: Sequence[Program], front: Program, signals: Sequence[int]) -> None:
    """Start again what ends, until a signal came."""
    due: dict[Program, float] = {}
    while not signals:
        if front.ended is not None:
            raise CannotServe(f"{front.name} ended with {front.ended}.")
        for process in processes:
            if process in due and time.monotonic() >= due[process]:
                del due[process]
                process.start()
                _say(f"{process.name} is started again: pid {process.pid}.")
            elif process not in due and process.ended is not None:
                due[process] = time.monotonic() + PAUSE_S
                _say(f"{process.name} ended with {process.ended}. Its browsers go to the others.")
        time.sleep(LOOKED_EVERY_S)


def _how_it_is_served(address: str, host: str, port: int, base: str, processes: Sequence[Program]) -> str:
    named = "localhost" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else address
    each = "".join(f"\n  {process.name}: pid {process.pid}, port {process.port}" for process in processes)
    return (
        f"Runoff is served at http://{named}:{port}{f'/{base}' if base else ''} (Ctrl-C stops it)\n"
        f"Caddy shares out the browsers; one stays with its process, with all its tabs.{each}"
    )


def _cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lib.serve", description="Serve the app in several processes.")
    parser.add_argument("--address", default="localhost", help="where to listen (%(default)s)")
    parser.add_argument("--port", default="8501", help="where to listen, 0 for any free one (%(default)s)")
    parser.add_argument(
        "--base",
        type=lambda text: text.strip("/"),
        default=os.environ.get("STREAMLIT_SERVER_BASE_URL_PATH", ""),
        help="the path below which the app is served (none)",
    )
    parser.add_argument("--processes", default=str(_cores()), help="of the app (as many as cores: %(default)s)")
    return parser


def _say(text: str) -> None:
    sys.stdout.write(f"{_entry(text, 'info')}\n")
    sys.stdout.flush()


def _entry(text: str, level: str) -> str:
    """For people the text itself; for programs an entry like those of the processes."""
    form = _log_form()
    if form is Form.PLAIN:
        return text
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return line(form, {"time": now, "level": level, "logger": "runoff.serve", "message": text})


def _log_form() -> Form:
    """The form that the environment says; what is wrong there the processes say."""
    return form_of(os.environ.get("RUNOFF_LOG"))


if __name__ == "__main__":
    sys.exit(main())
