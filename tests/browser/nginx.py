"""nginx in front of the app, with the configuration that ``deploy/nginx.conf`` gives to operators.

``python -m tests.browser.nginx`` installs it where we are root, as in CI. It never fails: its test says what to do.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from tests.browser.chromium import install_packages, root_prefix
from tests.browser.harness import PROJECT_ROOT, START_TIMEOUT_S

SITE = PROJECT_ROOT / "deploy" / "nginx.conf"
MISSING = "This test needs nginx and openssl: install them (Debian: apt-get install nginx openssl)."
PLACES = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))

AROUND = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
{user}
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""
"""What a distribution's nginx.conf has around a site, with its files in a folder of ours."""


def find_nginx() -> str | None:
    """The path of nginx, where there is openssl too, which makes a certificate."""
    return shutil.which("nginx", path=PLACES) if shutil.which("openssl") else None


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Nginx:
    """nginx on loopback, with the operators' configuration: only its ports, names and files are others.

    Args:
        program: The path of nginx.
        folder: Where its files go.
        app_port: Where the app listens.
    """

    def __init__(self, program: str, folder: Path, app_port: int) -> None:
        self._program, self._folder = program, folder
        self.port, self.plain_port = free_port(), free_port()
        site = SITE.read_text(encoding="utf-8")
        for written, ours in (
            ("listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"),
            ("listen 80;", f"listen 127.0.0.1:{self.plain_port};"),
            ("server 127.0.0.1:8501;", f"server 127.0.0.1:{app_port};"),
            ("/etc/nginx/runoff.crt", str(folder / "runoff.crt")),
            ("/etc/nginx/runoff.key", str(folder / "runoff.key")),
        ):
            assert site.count(written) == 1, f"{SITE.name} has {written!r} once"
            site = site.replace(written, ours)
        (folder / "site.conf").write_text(site, encoding="utf-8")
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user), encoding="utf-8")

    @property
    def url(self) -> str:
        """The origin that browsers see."""
        return f"https://127.0.0.1:{self.port}"

    def __enter__(self) -> Nginx:
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
                *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(self._folder / "runoff.key")),
                *("-out", str(self._folder / "runoff.crt")),
            ],
            check=True,
            capture_output=True,
        )
        self._log = (self._folder / "nginx.log").open("w+b")
        command = [self._program, "-p", str(self._folder), "-c", str(self._folder / "nginx.conf")]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=self._log, stdout=self._log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self.log()
                self.stop()
                raise RuntimeError(f"nginx did not start:\n{said}")
            time.sleep(0.05)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """End nginx and its worker."""
        self._process.terminate()
        self._process.wait()
        self._log.close()

    def log(self) -> str:
        """What it complained about."""
        return (self._folder / "nginx.log").read_text(errors="replace")

    def _listens(self) -> bool:
        with socket.socket() as caller:
            return caller.connect_ex(("127.0.0.1", self.port)) == 0


if __name__ == "__main__":
    # By sudo in CI only: at a machine that somebody works at, nobody wants a web server that starts by itself.
    sudo = root_prefix() if os.geteuid() == 0 or os.environ.get("RUNOFF_NO_SKIP") else None
    if not find_nginx() and sudo is not None:
        sys.stderr.write("Installing nginx for the test of deploy/nginx.conf...\n")
        install_packages(sudo, "nginx", "openssl")
    if not find_nginx():
        sys.stderr.write(MISSING + "\n")
