"""Starting: the server to its first byte, beside an empty app's; the first page; `make run` to the first page.

    python -m bench.start [--rounds 5] [--from-nothing]

Rounds of this app and of an empty Streamlit script take turns. "First page" is when the script of a first session has
finished, "first element" when the browser has something to draw. With --from-nothing, `make run` also runs in a copy
of the files that are under version control, without a .venv: it downloads what is required. Prints a table, what
Python imports for the first page and for how long, and writes bench/results/start.json.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.report import print_times, say_load, write
from bench.session import Answer, Session
from tests.browser.harness import PROJECT_ROOT, Server

ASKED_EVERY_S = 0.01
PATIENCE_S = 600.0
SHOWN_IMPORTS = 12
FROM_HERE = "from here on: the first page"
FIRST_PAGE = f"""
import runpy, sys
import streamlit.web.bootstrap, streamlit.web.server.starlette.starlette_server, streamlit.runtime.scriptrunner
sys.stderr.write({FROM_HERE!r})
runpy.run_path("streamlit_app.py")
"""
_IMPORT = re.compile(r"import time: +(\d+) \| +(\d+) \| ( *)(\S+)")


def answers_at(port: int, path: str, since: float, ended: threading.Event) -> float:
    """Seconds until a path is answered with 200 and its first byte; NaN where ``ended`` comes before."""
    while not ended.is_set() and time.perf_counter() - since < PATIENCE_S:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            if answer.status == 200 and answer.read(1):
                return time.perf_counter() - since
        except OSError:
            pass
        finally:
            connection.close()
        ended.wait(ASKED_EVERY_S)
    return float("nan")


def first_page(url: str) -> Answer:
    """Open a session and run the page once."""

    async def run() -> Answer:
        async with Session(url) as session:
            return await session.run()

    return asyncio.run(run())


def start(name: str, script: Path | None) -> dict[str, float]:
    """Milliseconds of one start of a server, and of the first and the second session's first run."""
    server = Server(script=script)
    found: dict[str, float] = {}
    ended = threading.Event()
    since = time.perf_counter()

    def ask(path: str) -> None:
        found[f"{name}: start to first byte of {path}"] = 1000 * answers_at(server.port, path, since, ended)

    threads = [threading.Thread(target=ask, args=(path,)) for path in ("/", "/_stcore/health")]
    for thread in threads:
        thread.start()
    try:
        with server:
            for thread in threads:
                thread.join()
            for which in ("first", "second"):
                answer = first_page(server.url)
                found[f"{name}: {which} session, first element"] = 1000 * answer.first_s
                found[f"{name}: {which} session, whole page"] = 1000 * answer.seconds
    finally:
        ended.set()
    return found


@contextmanager
def made(folder: Path, port: int) -> Iterator[None]:
    """``make run`` in a folder, ended with the block."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RUN", "STREAMLIT_"))}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            ["make", "run", f"PORT={port}", "ADDRESS=127.0.0.1", f"PYTHON={sys.executable}"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def make_run(name: str, folder: Path) -> dict[str, float]:
    """Milliseconds from ``make run`` to the first byte and to the first page."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    since = time.perf_counter()
    with made(folder, port):
        first_byte = answers_at(port, "/", since, threading.Event())
        first_page(f"http://127.0.0.1:{port}")
        page = time.perf_counter() - since
    return {f"{name}: first byte": 1000 * first_byte, f"{name}: first page": 1000 * page}


def copy_of_project(folder: Path) -> Path:
    """The files under version control, in a folder."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT_ROOT, capture_output=True, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT_ROOT / name, target)
    return folder


def imports() -> list[tuple[str, float]]:
    """Milliseconds of the imports of each package for the first page, each module without what it imports in turn.

    What the server imports by itself is left out.
    """
    process = [sys.executable, "-X", "importtime", "-c", FIRST_PAGE]
    environment = os.environ | {"PYTHONPATH": str(PROJECT_ROOT)}
    log = subprocess.run(process, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=True).stderr
    own: dict[str, float] = {}
    for own_us, _, _, module in _IMPORT.findall(log.rpartition(FROM_HERE)[2]):
        package = ".".join(module.split(".")[: 2 if module.startswith("lib.") else 1])
        own[package] = own.get(package, 0.0) + int(own_us) / 1000
    return sorted(own.items(), key=lambda each: -each[1])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--from-nothing", action="store_true")
    options = parser.parse_args(arguments)
    say_load()
    measured: dict[str, list[float]] = {}

    def take(found: dict[str, float]) -> None:
        for name, value in found.items():
            measured.setdefault(name, []).append(value)

    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.py"
        empty.write_text("import streamlit as st\n\nst.write('empty')\n")
        for _ in range(options.rounds):
            take(start("empty", empty))
            take(start("app", None))
        if (PROJECT_ROOT / ".venv" / "installed").exists():
            for _ in range(options.rounds):
                take(make_run("make run", PROJECT_ROOT))
        else:
            print("make run is not measured: nothing is installed in .venv; run make .venv/installed")
        if options.from_nothing:
            take(make_run("make run from nothing", copy_of_project(Path(folder))))
    print_times(measured)
    packages = imports()
    print("imports of the first page, in milliseconds; slower than without being timed")
    for package, took in packages[:SHOWN_IMPORTS]:
        print(f"    {package:28}{took:8.0f}")
    write("start", {"times": measured, "imports": dict(packages)})


if __name__ == "__main__":
    main()
