"""What a page says over its websocket: what no page of Streamlit's says ends the connection, in one line of the log."""

from __future__ import annotations

import logging

from google.protobuf.message import DecodeError
from starlette.types import Message, Receive, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

LOGGER = "runoff.gate.messages"
_NO_MESSAGE = 1002
"""The code of a websocket that is closed because what was said cannot be read."""
_NO_TEXT = 1003
"""That of one that is closed because text was said, where only bytes are."""


def understood(receive: Receive, send: Send) -> Receive:
    """``receive`` that closes the websocket at what cannot be read; Streamlit would log a traceback of its own code."""

    async def heard() -> Message:
        message = await receive()
        if message["type"] != "websocket.receive":
            return message
        data = message.get("bytes")
        if data is not None and _is_message(data):
            return message
        size = len(data if data is not None else message.get("text") or "")
        kind, code = ("bytes", _NO_MESSAGE) if data is not None else ("characters of text", _NO_TEXT)
        logging.getLogger(LOGGER).warning(
            "Closed a page's connection: %d %s that are no message of a page.", size, kind
        )
        await send({"type": "websocket.close", "code": code})
        return {"type": "websocket.disconnect", "code": code}

    return heard


def _is_message(data: bytes) -> bool:
    try:
        BackMsg.FromString(data)
    except DecodeError:
        return False
    return True
