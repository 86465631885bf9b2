"""Several processes behind one port: every browser has one, moves when it dies, and nothing stays behind."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from lib.gate.settings import METRICS
from lib.serve import __main__ as service
from lib.serve import balancer
from tests.browser.harness import START_TIMEOUT_S, TIMEOUT_S, Server

HOST = "runoff.example"
"""What people call the machine: not where it listens."""


class Browser:
    """Keeps cookies, and has tabs, until ``stack`` is closed."""

    def __init__(self, server: Server, stack: contextlib.ExitStack) -> None:
        self.address = f"127.0.0.1:{server.port}"
        self.named = f"{HOST}:{server.port}"
        self.stack = stack
        self.client = stack.enter_context(
            httpx.Client(
                base_url=f"http://{self.address}", headers={"Host": self.named}, timeout=TIMEOUT_S, trust_env=False
            )
        )
        self.cookie = f"runoff_process_{server.port}"

    @property
    def process(self) -> str:
        """What the balancer's cookie says."""
        return {cookie.name: cookie.value for cookie in self.client.cookies.jar}.get(self.cookie, "")

    def get(self, path: str = "/") -> httpx.Response:
        return self.client.get(path)

    def tab(self) -> ClientConnection:
        """A page that talks to the app, from the origin that the person sees."""
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.client.cookies.jar)
        address, port = self.address.split(":")
        return self.stack.enter_context(
            connect(
                f"ws://{self.named}/_stcore/stream",
                sock=socket.create_connection((address, int(port)), timeout=TIMEOUT_S),
                origin=f"http://{self.named}",
                subprotocols=["streamlit"],
                additional_headers={"Cookie": cookies},
                proxy=None,
            )
        )


def processes_of(server: Server) -> dict[int, int]:
    """Pid and port of each process of the app, as the service says them when all of it has started."""
    wait_for(lambda: "is served at" in server.log())
    return {int(pid): int(port) for pid, port in re.findall(r"Process \d+: pid (\d+), port (\d+)", server.log())}


def tabs_at(port: int) -> int:
    """How many tabs a process has, asked past the balancer."""
    told = httpx.get(f"http://127.0.0.1:{port}/_stcore/metrics", timeout=TIMEOUT_S, trust_env=False).text
    return int(re.search(r"^active_sessions (\d+)$", told, re.MULTILINE)[1])


def wait_for(condition: Callable[[], object], within_s: float = TIMEOUT_S) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def listens(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def is_open(tab: ClientConnection) -> bool:
    try:
        return tab.ping().wait(TIMEOUT_S)
    except ConnectionClosed:
        return False


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def children_of(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [int(child) for child, parent in (line.split() for line in listed.splitlines()) if int(parent) == pid]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[int], tuple[Server, Callable[[], Browser]]]]:
    """Serve the app in so many processes; gives the server, and what opens a browser."""
    with contextlib.ExitStack() as stack:

        def start(processes: int) -> tuple[Server, Callable[[], Browser]]:
            server = stack.enter_context(Server({"TMPDIR": str(tmp_path), METRICS: "true"}, processes=processes))
            return server, lambda: Browser(server, stack)

        yield start


def test_every_browser_stays_with_one_process_and_moves_when_that_dies(serve) -> None:
    two, browser = serve(2)
    ann, bob = browser(), browser()
    given = ann.get().headers.get_list("set-cookie")
    (sticky,) = [cookie for cookie in given if cookie.startswith(ann.cookie)]
    assert {"Path=/", "HttpOnly", "SameSite=Lax"} < set(sticky.split("; "))
    anns = [ann.tab(), ann.tab(), ann.tab()]
    bob.get()
    bobs = [bob.tab(), bob.tab()]
    assert ann.process != bob.process
    ports = processes_of(two)
    wait_for(lambda: {tabs_at(port) for port in ports.values()} == {3, 2})
    pids = {tabs_at(port): pid for pid, port in ports.items()}
    for each, path in product((ann, bob), ("/", balancer.HEALTH, "/_stcore/host-config", "/hyperparameters")):
        answer = each.get(path)
        assert answer.status_code == httpx.codes.OK
        assert each.cookie not in "".join(answer.headers.get_list("set-cookie"))
    assert all(is_open(tab) for tab in (*anns, *bobs))

    # What starts it again waits until its browser has been seen to move.
    os.kill(two.pid, signal.SIGSTOP)
    os.kill(pids[3], signal.SIGKILL)
    with pytest.raises(ConnectionClosed):
        anns[0].recv(TIMEOUT_S)
    assert [is_open(tab) for tab in (*anns, *bobs)] == [False, False, False, True, True]
    # A browser that has lost its process sees no error, only another process.
    assert ann.get().status_code == httpx.codes.OK
    assert ann.process == bob.process
    assert is_open(ann.tab())
    os.kill(two.pid, signal.SIGCONT)
    wait_for(lambda: "is started again" in two.log(), START_TIMEOUT_S)
    port = ports[pids[3]]
    wait_for(lambda: listens(port), START_TIMEOUT_S)
    assert ann.get().status_code == httpx.codes.OK
    assert ann.process == bob.process
    # The one that was started again has no tabs yet, so it gets the next browser.
    new = browser()

    def moved_in() -> bool:
        new.client.cookies.clear()
        new.get()
        return new.process != ann.process

    wait_for(moved_in)
    assert is_open(new.tab())
    wait_for(lambda: tabs_at(port) == 1)


# Elsewhere than on Linux a program cannot ask to end with whoever started it.
KILLED = pytest.param(signal.SIGKILL, marks=pytest.mark.skipif(sys.platform != "linux", reason="Linux only"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, KILLED])
def test_nothing_stays_behind(serve, number: int) -> None:
    server, browser = serve(1)
    processes = processes_of(server)
    started = children_of(server.pid)
    assert len(started) == 2
    assert set(processes) < set(started)
    tab = browser().tab()
    os.kill(server.pid, number)
    wait_for(lambda: not any(is_running(pid) for pid in started))
    assert not is_open(tab)
    if number != signal.SIGKILL:
        wait_for(lambda: server.log().endswith("Stopped.\n"))


def test_the_service_ends_with_its_balancer_and_says_so(serve) -> None:
    server, _ = serve(1)
    (process,) = processes_of(server)
    (front,) = set(children_of(server.pid)) - {process}
    os.kill(front, signal.SIGKILL)
    wait_for(lambda: not is_running(process))
    wait_for(lambda: server.log().endswith("Caddy ended with -9.\n"))


def test_a_port_that_is_taken_is_said_before_anything_is_started() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(service.CannotServe, match=f"Port {port} of 127.0.0.1 cannot be used .*PORT="):
            service.serve("127.0.0.1", port, 1, [])


@pytest.mark.parametrize(("address", "numeric"), [("localhost", "127.0.0.1"), ("", "0.0.0.0")])
def test_it_listens_where_it_is_told_to(address: str, numeric: str) -> None:
    host, port = service.endpoint(address, 0)
    assert host == numeric
    assert port > 0


@pytest.mark.parametrize("port", [-1, 65536, 99999])
def test_a_port_that_is_none_is_said_and_not_taken_for_another(port: int) -> None:
    with pytest.raises(service.CannotServe, match=f"Expected the port to be a number from 0 to 65535, found {port}"):
        service.endpoint("127.0.0.1", port)


def test_no_two_processes_get_one_port() -> None:
    ports = service.free_ports(20)
    assert len(set(ports)) == 20


def test_a_process_that_cannot_start_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_streamlit", lambda port, base: [sys.executable, "-c", "raise SystemExit(7)"])
    with pytest.raises(service.CannotServe, match=r"Process [12] ended with 7 before it answered\."):
        service.serve("127.0.0.1", 0, 2, [])


def test_without_a_folder_for_temporary_files_it_says_what_to_do(monkeypatch, tmp_path, capsys) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    assert service.main(["--port=0", "--processes=1"]) == 1
    assert capsys.readouterr().err.startswith("Expected a folder for temporary files, found none that can be written (")


def test_without_caddy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balancer, "program", lambda: None)
    with pytest.raises(service.CannotServe, match=r"requirements-serve\.txt"):
        service.serve("127.0.0.1", 0, 1, [])
