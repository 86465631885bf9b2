"""One project: a database, its PostgREST and its gateway."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx
import jwt

from tests.supabase.accounts import Accounts, User
from tests.supabase.binaries import postgrest_program
from tests.supabase.cluster import Cluster
from tests.supabase.faults import Faults, RequestLog
from tests.supabase.gateway import GatewayThread, gateway_app
from tests.supabase.seed import USERS, owned_jobs

MAX_ROWS = 1000
"""The most rows that a hosted project returns of one select, unless its owner changed that."""
JWT_SECRET = "secret-of-the-stand-in-with-at-least-32-characters"
START_TIMEOUT_S = 60


def legacy_key(role: str) -> str:
    """An API key of the older kind: a token that lasts ten years, the same at each start."""
    claims = {"iss": "supabase", "ref": "standin", "role": role, "iat": 1767225600, "exp": 2082758400}
    return jwt.encode(claims, JWT_SECRET, "HS256")


ANON_KEY, SERVICE_KEY = legacy_key("anon"), legacy_key("service_role")
PUBLISHABLE_KEY, SECRET_KEY = "sb_publishable_standin", "sb_secret_standin"
ROLES = {ANON_KEY: "anon", SERVICE_KEY: "service_role", PUBLISHABLE_KEY: "anon", SECRET_KEY: "service_role"}


class Project:
    """A running project. Made by ``Stack.project``; stopped by ``stop``, or with the stack.

    Attributes:
        url: What goes into the app's settings.
        anon_key, service_key: API keys of the older kind.
        publishable_key, secret_key: API keys of the newer kind.
        users: ``ann`` and ``bob``, each with ``id``, ``email`` and ``password``.
        jobs: The ids of each one's jobs, by name; empty tuples in a project without rows.
        log: The requests so far.
        faults: What goes wrong; see ``Faults.add``.
        accounts: The sign-in service: ``token_seconds``, ``reuse_seconds``, ``codes``, ``end_sessions``.
    """

    anon_key, service_key = ANON_KEY, SERVICE_KEY
    publishable_key, secret_key = PUBLISHABLE_KEY, SECRET_KEY
    jwt_secret = JWT_SECRET

    def __init__(self, cluster: Cluster, database: str, *, seeded: bool, max_rows: int | None, port: int = 0) -> None:
        self.cluster, self.database, self.max_rows = cluster, database, max_rows
        self.users: Mapping[str, User] = USERS
        self.jobs = owned_jobs() if seeded else dict.fromkeys(USERS, ())
        self.log, self.faults, self.accounts = RequestLog(), Faults(), Accounts(USERS, JWT_SECRET)
        self._rest_socket = str(cluster.folder / f"{database}.rest")
        self._gateway: GatewayThread | None = None
        self._start_rest()
        try:
            app = gateway_app(self._rest_socket, self.accounts, ROLES, self.faults, self.log)
            self._gateway = GatewayThread(app, port)
        except BaseException:
            self.stop()
            raise
        self.url = self._gateway.url

    @property
    def rest_pid(self) -> int:
        """PostgREST's process."""
        return self._rest.pid

    def execute(self, sql: str, *, role: str = "postgres", user: str | None = None) -> list[dict[str, str]]:
        """Run statements, of which at most one returns rows.

        Args:
            sql: The statements.
            role: ``postgres`` owns the tables; ``supabase_admin`` is the superuser.
            user: Run them as this user would through the API, row level security and all.

        Returns:
            The rows, every value as text; null is the empty text.

        Raises:
            SqlError: With PostgreSQL's message.
        """
        if user:
            claims = f'{{"sub": "{self.users[user].id}", "role": "authenticated"}}'
            sql = f"set role authenticated; set request.jwt.claims = '{claims}';\n{sql}"
        return self.cluster.execute(self.database, sql, role)

    def sign_in(self, user: str) -> str:
        """Sign ``ann`` or ``bob`` in and return the access token."""
        return self.session(user)["access_token"]

    def session(self, user: str) -> dict[str, Any]:
        """Sign in and return all that the service answers: ``access_token``, ``refresh_token``, ``user``..."""
        body = {"email": self.users[user].email, "password": self.users[user].password}
        answer = self.request("POST", "/auth/v1/token?grant_type=password", json=body)
        answer.raise_for_status()
        return answer.json()

    def token(self, user: str, seconds: float = 3600) -> str:
        """An access token without a session, e.g. one that expired a minute ago: ``seconds=-60``."""
        return self.accounts.access_token(self.users[user], seconds)

    def request(
        self, method: str, path: str, *, key: str | None = None, token: str | None = None, **options: Any
    ) -> httpx.Response:
        """Ask the gateway with an API key (``anon_key`` unless given) and, if given, a user's token."""
        key = self.anon_key if key is None else key
        headers = {"apikey": key, "Authorization": f"Bearer {token or key}"} | options.pop("headers", {})
        with httpx.Client(base_url=self.url, trust_env=False, verify=False, timeout=30) as client:
            return client.request(method, path, headers=headers, **options)

    def reset(self) -> None:
        """Forget the log, mend the faults, put the sign-in service's settings back. Rows stay as they are."""
        self.log.clear()
        self.faults.clear()
        self.accounts.reset()

    def reload_schema(self) -> None:
        """Make the API see a changed schema at once; by itself it needs a moment."""
        self._stop_rest()
        self._start_rest()

    def stop(self) -> None:
        if self._gateway:
            self._gateway.stop()
        self._stop_rest()

    def _start_rest(self) -> None:
        environment = {
            "PGRST_DB_URI": f"postgresql://authenticator@/{self.database}?host={self.cluster.folder}",
            "PGRST_DB_SCHEMAS": "public",
            "PGRST_DB_EXTRA_SEARCH_PATH": "public,extensions",
            "PGRST_DB_ANON_ROLE": "anon",
            "PGRST_JWT_SECRET": JWT_SECRET,
            "PGRST_SERVER_UNIX_SOCKET": self._rest_socket,
            "PGRST_DB_POOL": "10",
            "PGRST_LOG_LEVEL": "error",
        } | ({"PGRST_DB_MAX_ROWS": str(self.max_rows)} if self.max_rows else {})
        log = self.cluster.folder / f"{self.database}.rest.log"
        self._rest = self.cluster.spawn([postgrest_program()], log, environment, own_user=True)
        try:
            self._wait_for_rest(self._rest, log)
        except BaseException:
            self._stop_rest()
            raise

    def _wait_for_rest(self, process: Popen, log: Path) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
                connection.connect(self._rest_socket)
                connection.sendall(b"GET /no_such_table HTTP/1.0\r\n\r\n")
                # 503 until the schema is loaded, then not found.
                if b" 404 " in connection.recv(100):
                    return
            time.sleep(0.02)
        raise RuntimeError(f"PostgREST did not start. Its log ends:\n{log.read_text()[-2000:]}")

    def _stop_rest(self) -> None:
        self.cluster.end(self._rest)
