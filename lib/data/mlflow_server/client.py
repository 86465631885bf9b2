"""Talking to one MLflow server: connections that the process keeps, and requests with a bound in seconds and bytes."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import httpx

from lib.data import connections
from lib.data.connections import shared_client, whole_body, within
from lib.data.mlflow_server.errors import (
    TooSlow,
    not_mlflow,
    refusal_of_answer,
    refusal_of_exception,
    too_large,
)
from lib.data.mlflow_server.settings import MlflowSettings
from lib.data.refusals import Refusal, incomplete

API = "/api/2.0/mlflow/"
CONNECT_TIMEOUT_S = 5.0
"""A host that does not take a connection by then is not there."""
ATTEMPTS = 4
FIRST_PAUSE_S = 0.25
"""Doubled with each repetition, and shortened at random so that readers do not come back all at once."""
ATTEMPT_SHARE = 0.6
"""Share of the time for a request that one attempt may take: a connection that hangs leaves time for another."""
AT_ONCE = 6
"""Requests at a time, of all readers together: a server has four workers if nobody says otherwise. Others wait."""

Parameters = Sequence[tuple[str, str | int]]


class Server:
    """One tracking server, as this process talks to it. Threads may share it."""

    def __init__(self, settings: MlflowSettings) -> None:
        self.settings = settings
        headers = {"Accept": "application/json"}
        if settings.token is not None:
            headers["Authorization"] = f"Bearer {settings.token}"
        if settings.workspace is not None:
            headers["X-MLFLOW-WORKSPACE"] = settings.workspace
        has_password = settings.user is not None and settings.password is not None
        self._pool = shared_client(
            headers=headers,
            auth=httpx.BasicAuth(settings.user or "", settings.password or "") if has_password else None,
            limits=httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE, keepalive_expiry=30),
        )
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._signed_in = settings.token is not None or has_password

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def get(self, endpoint: str, parameters: Parameters, *, patient: bool = True) -> Mapping[str, Any]:
        """Ask by GET; see ``post``.

        Args:
            endpoint: As there.
            parameters: Names and values.
            patient: Ask again where no answer came in time; else that is ``TooSlow`` at once.
        """
        return self._asked("GET", endpoint, parameters, None, patient=patient)

    def post(self, endpoint: str, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask, and ask again where that may help, for at most ``timeout_s``. Only what reads is asked.

        Args:
            endpoint: Below ``/api/2.0/mlflow/``.
            question: The body.

        Returns:
            The answer, a JSON object whose values nobody has looked at.

        Raises:
            NotThere: If the server has no such run or experiment.
            AppError: If there is no answer, or a refusal.
        """
        return self._asked("POST", endpoint, (), question, patient=True)

    def _asked(
        self,
        method: str,
        endpoint: str,
        parameters: Parameters,
        question: Mapping[str, Any] | None,
        *,
        patient: bool,
    ) -> Mapping[str, Any]:
        with self._turns:
            return self._repeated(method, endpoint, parameters, question, patient=patient)

    def _repeated(
        self,
        method: str,
        endpoint: str,
        parameters: Parameters,
        question: Mapping[str, Any] | None,
        *,
        patient: bool,
    ) -> Mapping[str, Any]:
        deadline = time.monotonic() + self.settings.timeout_s
        attempt = 0
        while True:
            outcome = self._attempt(method, endpoint, parameters, question, deadline)
            if not isinstance(outcome, Refusal):
                return outcome
            if not patient and isinstance(outcome.error, TooSlow):
                raise outcome.error
            attempt += 1
            pause = max(outcome.wait_s or 0.0, FIRST_PAUSE_S * 2 ** (attempt - 1) * random.uniform(0.5, 1))
            if not outcome.retry or attempt == ATTEMPTS or time.monotonic() + pause >= deadline:
                raise outcome.error
            time.sleep(pause)

    def _attempt(
        self,
        method: str,
        endpoint: str,
        parameters: Parameters,
        question: Mapping[str, Any] | None,
        deadline: float,
    ) -> Mapping[str, Any] | Refusal:
        host = self.settings.host
        each = min(max(deadline - time.monotonic(), 0.05), self.settings.timeout_s * ATTEMPT_SHARE)
        try:
            with (
                within(deadline),
                self._pool.stream(
                    method,
                    f"{self.settings.url}{API}{endpoint}",
                    params=list(parameters) or None,
                    json=question,
                    timeout=httpx.Timeout(each, connect=min(each, CONNECT_TIMEOUT_S)),
                ) as response,
            ):
                body = whole_body(response, deadline)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return refusal_of_exception(error, host=host).caused_by(error)
        if body is None:
            return too_large(host, connections.MOST_BODY)
        if not response.is_success:
            return refusal_of_answer(response.status_code, response.headers, body, host=host, signed_in=self._signed_in)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return Refusal(not_mlflow(host, "a web page" if kind == "text/html" else "something else than JSON"))
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            return incomplete(host)
        return said if isinstance(said, Mapping) else Refusal(not_mlflow(host, "JSON of another kind"))


@cache
def server_of(settings: MlflowSettings) -> Server:
    """The server of these settings; one in each process, so that connections are kept."""
    return Server(settings)
