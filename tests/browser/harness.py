"""The app in a real browser: a server, a watched page, and knowing when the page is done."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import ConsoleMessage, Page

from lib.serve.balancer import health

PROJECT_ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 120
"""A cold start imports everything; on two busy cores that takes up to 20 s."""
TIMEOUT_S = 60
"""Long enough for a busy machine; whoever waits goes on as soon as the condition holds."""
QUIET_MS = 300
"""How long a page must stay idle to count as done: what a click or an answer brings about begins within it."""

CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    # Nothing leaves the machine, whatever a page asks for; the watch still sees that it asked.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

_PROBE_OF_DEEP_LINK = re.compile(r"/.+/_stcore/(health|host-config)")
"""Opened at /page, Streamlit first asks there for its server, is told 404, and then asks at the root."""


class Server:
    """``streamlit run`` on a free loopback port, for as long as the ``with`` block lasts.

    Args:
        environment: Added to the environment. No setting of the caller's shell gets through otherwise.
        script: What to run; the app unless said otherwise.
        processes: How many of the app ``make serve`` starts; 0 for ``streamlit run`` itself.
        base: The path below which it is served, without slashes at its ends.
    """

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        script: Path | None = None,
        processes: int = 0,
        base: str = "",
    ) -> None:
        self.script = script or PROJECT_ROOT / "streamlit_app.py"
        self.processes, self.base = processes, base
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("RUNOFF_", "STREAMLIT_"))
        } | dict(environment or {})
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port: int = listener.getsockname()[1]

    @property
    def url(self) -> str:
        """Where the app is, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Of what was started; the processes of the app are its children where ``make serve`` starts them."""
        return self._process.pid

    def __enter__(self) -> Server:
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            self._command(),
            cwd=self.script.parent,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._healthy():
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = self.log()
                self.stop()
                raise RuntimeError(f"The app did not start within {START_TIMEOUT_S} s. Its log ends:\n{log}")
            time.sleep(0.1)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _command(self) -> list[str]:
        if self.processes:
            return [
                *(sys.executable, "-m", "lib.serve", f"--processes={self.processes}"),
                *(f"--port={self.port}", "--address=127.0.0.1", f"--base={self.base}"),
            ]
        return [
            *(sys.executable, "-m", "streamlit", "run", str(self.script)),
            *(f"--server.port={self.port}", "--server.address=127.0.0.1", "--server.headless=true"),
            *("--server.fileWatcherType=none", "--browser.gatherUsageStats=false"),
            f"--server.baseUrlPath={self.base}",
        ]

    def stop(self) -> None:
        """End the server and everything that it started."""
        for end in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, end)
                self._process.wait(5)
                break
            except subprocess.TimeoutExpired:
                continue
            except ProcessLookupError:
                break
        self._log.close()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let nothing of the server run while the ``with`` block lasts: what happens then, the browser does."""
        os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._process.pid, signal.SIGCONT)

    def log(self, characters: int = 4000) -> str:
        """The end of what the server wrote."""
        # pread leaves the position alone at which the server goes on writing.
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), characters, max(0, size - characters)).decode(errors="replace")

    def _healthy(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", health(self.base))
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


class Watch:
    """Records what a page must not do: log an error, throw one, open a dialog, or ask any host but the app's."""

    def __init__(self, page: Page, origin: str) -> None:
        host = urlsplit(origin).netloc
        self.complaints: list[str] = []
        complain = self.complaints.append

        def check_url(url: str) -> None:
            parts = urlsplit(url)
            if parts.scheme not in ("data", "blob", "about") and parts.netloc != host:
                complain(f"request to another host: {url}")

        def check_message(message: ConsoleMessage) -> None:
            where = message.location["url"]
            if message.type == "error" and not _PROBE_OF_DEEP_LINK.fullmatch(urlsplit(where).path):
                complain(f"console: {message.text} ({where})")

        page.on("console", check_message)
        page.on("pageerror", lambda error: complain(f"page error: {error}"))
        page.on("request", lambda request: check_url(request.url))
        page.on("dialog", lambda dialog: (complain(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("websocket", lambda websocket: check_url(websocket.url))


NOTE_UNANSWERED = """
(() => {
  const send = WebSocket.prototype.send;
  const heard = new WeakSet();
  WebSocket.prototype.send = function (data) {
    window.unanswered = true;
    if (!heard.has(this)) this.addEventListener('message', () => { window.unanswered = false; });
    heard.add(this);
    return send.call(this, data);
  };
})();
"""
"""Run in a page before its own scripts: ``wait_idle`` then waits for a busy server's answer, however late it comes."""

_IDLE_FOR = """
(quiet) => {
  const app = document.querySelector('[data-testid="stApp"]');
  const busy = !app
    || window.unanswered
    || app.getAttribute('data-test-script-state') !== 'notRunning'
    || app.getAttribute('data-test-connection-state') !== 'CONNECTED'
    || document.querySelector('[data-stale="true"], [data-testid="stSkeleton"]');
  const now = performance.now();
  if (busy || window.idleSince === undefined) window.idleSince = busy ? undefined : now;
  return !busy && now - window.idleSince >= quiet;
}
"""


def wait_idle(page: Page, timeout_s: float = TIMEOUT_S) -> None:
    """Wait until no script runs and nothing on the page is stale, for a moment on end.

    Raises:
        playwright.sync_api.TimeoutError: If the page is still busy after ``timeout_s``.
    """
    page.evaluate("() => { window.idleSince = undefined; }")
    page.wait_for_function(_IDLE_FOR, arg=QUIET_MS, timeout=1000 * timeout_s)


def open_app(page: Page, path: str = "", **parameters: str | list[str]) -> None:
    """Go to a page of the app that ``page`` belongs to, and wait until it is done.

    Args:
        page: From the ``page`` or ``new_page`` fixture.
        path: Of the page in the app; "" is the main page.
        parameters: Of the URL; a list repeats its parameter.
    """
    query = urlencode(parameters, doseq=True)
    page.goto(f"/{path}?{query}" if query else f"/{path}")
    wait_idle(page)
