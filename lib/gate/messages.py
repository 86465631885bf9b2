"""What a page says over its websocket: what no page of Streamlit's says ends the connection, in one line of the log.

What a page may ask Streamlit to do beside running, and no page of ours does, is answered here.
"""

from __future__ import annotations

import logging

from google.protobuf.message import DecodeError
from starlette.types import Message, Receive, Send
from streamlit import runtime
from streamlit.proto.BackMsg_pb2 import BackendOperationRequest, BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

LOGGER = "runoff.gate.messages"
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
            if said.WhichOneof("type") != "backend_operation_request" or _is_own(said.backend_operation_request):
                return message
            # One by one: who asks for thousands waits for each answer, and nobody else does.
            await send({"type": "websocket.send", "bytes": _refusal(said.backend_operation_request)})
        size = len(data if data is not None else message.get("text") or "")
        kind, code = ("bytes", _NO_MESSAGE) if data is not None else ("characters of text", _NO_TEXT)
        logging.getLogger(LOGGER).warning(
            "Closed a page's connection: %d %s that are no message of a page.", size, kind
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


def _refusal(asked: BackendOperationRequest) -> bytes:
    answer = ForwardMsg()
    answer.backend_operation_response.request_id = asked.request_id
    answer.backend_operation_response.error_msg = "This is not offered any more."
    said: bytes = answer.SerializeToString()
    return said
