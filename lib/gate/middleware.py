"""What stands between the network and Streamlit: whose request it is, what it may do, and what every answer carries."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from http import HTTPStatus
from importlib import import_module
from typing import Any

from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, cookie_parser
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnected
from streamlit import config, runtime
from streamlit.web.server.server_util import allow_all_cross_origin_requests, allowlisted_origins, is_xsrf_enabled

from lib.gate import headers, keeping, links, settings
from lib.gate.messages import understood
from lib.gate.offered import telling
from lib.gate.origin import is_https, is_own
from lib.gate.preview import titled
from lib.gate.sessions import browser_of
from lib.gate.slow import REQUEST_S
from lib.gate.uploads import NoRoom, patient, waiting_of

LONGEST_CODE = 200
"""In bytes: what is longer is none."""
READS = ("GET", "HEAD", "OPTIONS")
_UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+")
_PROTOCOL = b"sec-websocket-protocol"
_REFUSED = 1008
"""The code of a websocket that is closed because of who asks."""
_BUSY = 1013
"""That of one that may try again later."""
_METRICS = "/_stcore/metrics"
_WITH_PAGES_OF_THEIR_OWN = ("/media/", "/component/", "/_stcore/", "/static/", "/app/static/")
_EVERYBODYS = ("", "localhost", "127.0.0.1", "0.0.0.0", "::1", "::")


class Gate:
    """Wraps all of Streamlit's server."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it through."""
        match scope["type"]:
            case "http":
                await self._answer(scope, receive, _marking(scope, send))
            case "websocket":
                await self._connect(scope, receive, send)
            case _:
                await self._app(scope, receive, send)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = _headers(scope)
        if not _is_own(scope, asked):
            _state("refused").REFUSED.note(asked.get("origin", ""), asked.get("host", ""))
            await send({"type": "websocket.close", "code": _REFUSED})
            return
        if not allow_all_cross_origin_requests() and "origin" in asked:
            # What is let in here is not looked up by Streamlit, which would ask the internet for its own address.
            _replace(scope, b"host", asked["origin"].partition("://")[2])
        selected, _, rest = asked.get(_PROTOCOL.decode(), "").partition(",")
        token, _, session = rest.partition(",")
        browser = browser_of(_cookies(asked))
        if session.strip() and not _state("sessions").SESSIONS.is_of(session.strip(), browser):
            _replace(scope, _PROTOCOL, f"{selected},{token}")
        open_tabs = _state("tabs").TABS
        if not open_tabs.enter(signed_in=_state("visitors").VISITORS.holds(_cookies(asked).get(keeping.COOKIE, ""))):
            # Streamlit's page tries again by itself, at growing distances.
            await send({"type": "websocket.close", "code": _BUSY})
            return
        try:
            told = telling(send, browser, _state("offered").OFFERED)
            await self._app(scope, understood(receive, send), told)
        except WebSocketDisconnected:
            # Who went before all that they had said was taken: nothing that the log has to say.
            pass
        finally:
            open_tabs.leave()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        _state("keeping").CODES.is_asked = True
        asked, path, method = _headers(scope), _path(scope), scope["method"]
        if method not in READS and not _is_own(scope, asked):
            await _refusal(HTTPStatus.FORBIDDEN, "From another site.")(scope, receive, send)
        elif path == f"/{keeping.PATH}" and method == "POST":
            await _keep(scope, asked, receive, send)
        elif (upload := _UPLOAD.fullmatch(path)) and method in ("PUT", "DELETE"):
            await self._upload(upload[1], scope, asked, receive, send)
        elif not _may_read(path, asked):
            await _refusal(HTTPStatus.NOT_FOUND, "Not found.")(scope, receive, send)
        elif method in ("GET", "HEAD") and (link := links.instead(scope["query_string"])):
            await Response(status_code=HTTPStatus.SEE_OTHER, headers={"location": link, "cache-control": "no-store"})(
                scope, receive, send
            )
        elif method in ("GET", "HEAD") and not path.startswith(_WITH_PAGES_OF_THEIR_OWN):
            # A compressed page could not be changed; it is small.
            _replace(scope, b"accept-encoding", "identity")
            await self._app(scope, receive, titled(send))
        else:
            await self._app(scope, receive, send)

    async def _upload(self, session: str, scope: Scope, asked: dict[str, str], receive: Receive, send: Send) -> None:
        """Take a file of the session's own browser, where there is room; its id alone stands in logs."""
        sessions, visitors = _state("sessions").SESSIONS, _state("visitors").VISITORS
        is_own = sessions.is_of(session, browser_of(_cookies(asked))) or not is_xsrf_enabled()
        if not is_own or (visitors.needed and not visitors.holds(sessions.ticket_of(session))):
            await _refusal(HTTPStatus.FORBIDDEN, "Reload the page, then upload again.")(scope, receive, send)
            return
        if scope["method"] == "DELETE":
            await self._app(scope, receive, send)
            return
        # What is sent without its size may be as large as any.
        said = asked.get("content-length", "")
        size = int(said) if said.isdecimal() else config.get_option("server.maxUploadSize") * 2**20
        manager = runtime.get_instance().uploaded_file_mgr
        waiting = _state("uploads").WAITING
        try:
            with waiting.room(session, size, waiting_of(manager), manager.remove_session_files) as coming:
                await self._app(scope, patient(receive, coming, waiting.clock), send)
        except NoRoom as error:
            await _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error))(scope, receive, send)
        except ClientDisconnect:
            # A page that was closed, or a network that broke: nothing that the log has to say.
            await _refusal(HTTPStatus.REQUEST_TIMEOUT, "It came too slowly: upload again.")(scope, receive, send)


async def _keep(scope: Scope, asked: dict[str, str], receive: Receive, send: Send) -> None:
    """Exchange a code for the cookie that keeps a sign-in."""
    try:
        async with asyncio.timeout(REQUEST_S):
            body, message = b"", await receive()
            while (body := body + message.get("body", b"")) and message.get("more_body") and len(body) <= LONGEST_CODE:
                message = await receive()
    except TimeoutError:
        await PlainTextResponse("It came too slowly.", HTTPStatus.REQUEST_TIMEOUT, {"connection": "close"})(
            scope, receive, send
        )
        return
    ticket = _state("keeping").CODES.take(body.decode("ascii", errors="replace"), browser_of(_cookies(asked)))
    if ticket is None:
        await _refusal(HTTPStatus.FORBIDDEN, "Sign in again.")(scope, receive, send)
        return
    secure = is_https(scope["scheme"], asked) or asked.get("origin", "").startswith("https://")
    cookie = keeping.cookie(ticket, base() or "/", secure=secure)
    await Response(status_code=HTTPStatus.NO_CONTENT, headers={"set-cookie": cookie, "cache-control": "no-store"})(
        scope, receive, send
    )


def _may_read(path: str, asked: dict[str, str]) -> bool:
    """Whether an address answers a browser.

    Streamlit's numbers are told where that is set; what pages offer, where people sign in, to the browser that was
    offered it, while it is signed in.
    """
    if path == _METRICS:
        return settings.IN_FORCE.metrics
    visitors = _state("visitors").VISITORS
    if not path.startswith("/media/") or not visitors.needed or not is_xsrf_enabled():
        return True
    browser = browser_of(_cookies(asked))
    if not _state("offered").OFFERED.is_offered(browser, path):
        return False
    return any(map(visitors.holds, _state("sessions").SESSIONS.tickets_of(browser)))


def _marking(scope: Scope, send: Send) -> Send:
    """``send`` with what every answer carries."""
    path, https = _path(scope), is_https(scope["scheme"], _headers(scope))

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [
                (name, _secured(value) if https and name.lower() == b"set-cookie" else value)
                for name, value in message.get("headers", ())
            ]
            added = dict(headers.EVERYWHERE)
            if path.startswith("/media/"):
                added |= {"content-security-policy": headers.FILE_POLICY, "cache-control": "no-store"}
            elif path.startswith("/component/"):
                added["content-security-policy"] = headers.component_policy()
            else:
                added["content-security-policy"] = headers.page_policy()
            names = {name.encode() for name in added}
            message["headers"] = [
                *((name, value) for name, value in kept if name.lower() not in names),
                *((name.encode(), value.encode()) for name, value in added.items()),
            ]
        await send(message)

    return marked


def base() -> str:
    """The path under which the app is served, without a slash at the end."""
    path = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""


def _path(scope: Scope) -> str:
    """The path below that of the app."""
    path: str = scope["path"]
    return path.removeprefix(base()) if path.startswith(f"{base()}/") else path


def _is_own(scope: Scope, asked: dict[str, str]) -> bool:
    return allow_all_cross_origin_requests() or is_own(scope["scheme"], asked, allowlisted_origins(), _names())


def _names() -> tuple[str, ...]:
    """Where people find the app, if the operator or a hosting service has said so: ``browser.serverAddress``.

    ``.streamlit/config.toml`` says "localhost" there, which is no name of its own: everything on the machine has it.
    """
    address = str(config.get_option("browser.serverAddress") or "")
    if address in _EVERYBODYS or not config.is_manually_set("browser.serverAddress"):
        return ()
    has_port = config.is_manually_set("browser.serverPort")
    return (f"{address}:{config.get_option('browser.serverPort')}" if has_port else address,)


def _headers(scope: Scope) -> dict[str, str]:
    """The headers by their names in small letters; of several with one name the last, but all cookies."""
    found: dict[str, str] = {}
    for name, text in ((name.decode("latin-1").lower(), text.decode("latin-1")) for name, text in scope["headers"]):
        found[name] = f"{found[name]}; {text}" if name == "cookie" and name in found else text
    return found


def _cookies(asked: dict[str, str]) -> dict[str, str]:
    # As Streamlit reads them: what other programs of this host have set may be no cookie at all.
    return cookie_parser(asked.get("cookie", ""))


def _replace(scope: Scope, name: bytes, value: str) -> None:
    others: Iterable[tuple[bytes, bytes]] = (each for each in scope["headers"] if each[0].lower() != name)
    scope["headers"] = [*others, (name, value.encode("latin-1"))]


def _secured(cookie: bytes) -> bytes:
    """A cookie that is sent over TLS only."""
    marks = {mark.strip().lower() for mark in cookie.split(b";")[1:]}
    return cookie if b"secure" in marks else cookie + b"; Secure"


def _refusal(status: HTTPStatus, why: str) -> Response:
    return PlainTextResponse(why, status_code=status)


def _state(module: str) -> Any:
    """A module that holds what the process knows. Streamlit loads modules anew when a file changes."""
    return import_module(f"lib.gate.{module}")


MIDDLEWARE = (Middleware(Gate),)
