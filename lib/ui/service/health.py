"""``/health``: whether the app and its source answer, for monitoring. No names, no secrets, and no load on the source.

Streamlit's own ``/_stcore/health`` says that the process is up, and is what balancers ask: a process whose source is
down shall not be taken away, as it says so on its pages.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from streamlit import config

from lib.core.facts.errors import AccessDenied, AppError, SettingsError, SourceUnavailable
from lib.data.probe import PATIENCE_S, probe
from lib.log.errors import reported
from lib.ui.session import deployment

PATH = "/health"
KEPT_S = 10.0
"""The source is asked once in so many seconds, however often anybody asks here."""
WAIT_S = 2 * PATIENCE_S
"""For an answer that is on its way: a folder on a server that hangs takes for ever."""

MOST_REASONS = 20
"""Why a source does not answer, until it does again; of more, all are logged anew."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the source came to.

    Attributes:
        source: ``ok``, ``unavailable``, ``refused`` or ``misconfigured``.
        error_id: Of the entry in the log that says why; "" where all is well.
    """

    source: str = "ok"
    error_id: str = ""


class Health:
    """What is known of the source. Asked from the server's loop; the source is asked in one thread at most.

    Args:
        ask: Asks the source, and raises where it does not answer.
        kept_s: How long an answer holds, in seconds.
        wait_s: How long anybody waits for one.
    """

    def __init__(self, ask: Callable[[], None], kept_s: float = KEPT_S, wait_s: float = WAIT_S) -> None:
        self._ask, self._kept_s, self._wait_s = ask, kept_s, wait_s
        self._answer: Future[Told] | None = None
        self._asked_at = 0.0
        self._ids: dict[tuple[type[Exception], str], str] = {}

    async def told(self) -> Told:
        """What the source came to when it was last asked."""
        answer = self._answer
        if answer is None or (answer.done() and time.monotonic() - self._asked_at >= self._kept_s):
            answer = self._answer = Future()
            self._asked_at = time.monotonic()
            # Nobody waits for it when the app ends.
            threading.Thread(target=self._look, args=(answer,), name="health", daemon=True).start()
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(answer)), self._wait_s)
        except TimeoutError:
            late = SourceUnavailable(f"Expected an answer of the source within {self._wait_s:g} s, none came.")
            return Told("unavailable", self._id_of(late))

    def _look(self, answer: Future[Told]) -> None:
        found = Told()
        try:
            self._ask()
        except Exception as error:  # What is broken shall be said, and never leave those waiting who asked.
            kind = "misconfigured" if isinstance(error, SettingsError) else "unavailable"
            kind = "refused" if isinstance(error, AccessDenied) else kind
            found = Told(kind, self._id_of(error))
        else:
            self._ids.clear()
        answer.set_result(found)

    def _id_of(self, error: Exception) -> str:
        """The id of its entry in the log, where each reason stands once: a monitor asks day and night."""
        said = type(error), str(error)
        if said not in self._ids or not isinstance(error, AppError):
            if len(self._ids) >= MOST_REASONS:
                self._ids.clear()
            self._ids[said] = reported(error)
        return self._ids[said]


HEALTH = Health(lambda: probe(deployment.settings()))


async def health(_: Request) -> Response:
    """Say how the app and its source are: 200, or 503 where the source does not answer."""
    told = await HEALTH.told()
    is_well = told.source == "ok"
    said = {"app": "ok", "source": told.source} | ({"error_id": told.error_id} if told.error_id else {})
    return JSONResponse(said, 200 if is_well else 503, headers={"cache-control": "no-store"})


def routes() -> list[Route]:
    """The address, also below the path under which the app is served."""
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return [Route(path, health) for path in dict.fromkeys((PATH, f"/{base}{PATH}" if base else PATH))]
