"""What a page says over its websocket: what no page of Streamlit's says ends the connection, in one line of the log.

What a page may ask Streamlit to do beside running, and no page of ours does, is answered here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from google.protobuf.message import DecodeError
from starlette.types import Message, Receive, Send
from streamlit import runtime
from streamlit.proto.BackMsg_pb2 import BackendOperationRequest, BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from lib.data.upload.limits import MOST_FILES

LOGGER = "runoff.gate.messages"
_UNHEARD = frozenset(["load_git_info", "debug_disconnect_websocket", "debug_shutdown_runtime"])
"""What only Streamlit's own developers' pages say. To look for a repository holds up all other pages."""
_NO_MESSAGE = 1002
"""The code of a websocket that is closed because what was said cannot be read."""
_NO_TEXT = 1003
"""That of one that is closed because text was said, where only bytes are."""


def understood(receive: Receive, send: Send) -> Receive:
    """``receive`` that closes the websocket at what cannot be read; Streamlit would log a traceback of its own code."""

    async def heard() -> Message:
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            data = message.get("bytes")
            said = _message(data) if data is not None else None
            if said is None:
                break
            # What lies here already is given without a pause: others would wait until all of it was taken.
            await asyncio.sleep(0)
            kind = said.WhichOneof("type") or ""
            refusal = _REFUSALS[kind](said) if kind in _REFUSALS else None
            if refusal is not None:
                await send({"type": "websocket.send", "bytes": refusal.SerializeToString()})
            elif kind not in _UNHEARD:
                return message
        size = len(data if data is not None else message.get("text") or "")
        what, code = ("bytes", _NO_MESSAGE) if data is not None else ("characters of text", _NO_TEXT)
        logging.getLogger(LOGGER).warning(
            "Closed a page's connection: %d %s that are no message of a page.", size, what
        )
        await send({"type": "websocket.close", "code": code})
        return {"type": "websocket.disconnect", "code": code}

    return heard


def _message(data: bytes) -> BackMsg | None:
    try:
        said: BackMsg = BackMsg.FromString(data)
    except DecodeError:
        return None
    return said


def _is_own(asked: BackendOperationRequest) -> bool:
    """Whether a file is asked for that the session itself was offered.

    Streamlit would make it for whoever knows its id, and for each id that is none start a thread and log a traceback.
    That the session is the page's own it sees to.
    """
    if asked.WhichOneof("payload") != "deferred_file" or not runtime.exists():
        return False
    offered = runtime.get_instance().media_file_mgr._deferred_callables.get(asked.deferred_file.file_id)
    return offered is not None and offered["session_id"] == asked.session_id


def _no_operation(said: BackMsg) -> ForwardMsg | None:
    asked = said.backend_operation_request
    if _is_own(asked):
        return None
    answer = ForwardMsg()
    answer.backend_operation_response.request_id = asked.request_id
    answer.backend_operation_response.error_msg = "This is not offered any more."
    return answer


def _no_places(said: BackMsg) -> ForwardMsg | None:
    """For so many files nobody makes addresses, each of which takes its time."""
    asked = said.file_urls_request
    if len(asked.file_names) <= MOST_FILES:
        return None
    answer = ForwardMsg()
    answer.file_urls_response.response_id = asked.request_id
    answer.file_urls_response.error_msg = f"More than {MOST_FILES:,} files at once: pack them as zip or tar.gz."
    return answer


_REFUSALS: Mapping[str, Callable[[BackMsg], ForwardMsg | None]] = {
    "backend_operation_request": _no_operation,
    "file_urls_request": _no_places,
}
"""What is answered here, unless it is to be passed on."""
