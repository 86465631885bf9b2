"""WebSockets spoken byte for byte: what no library of theirs would say."""

from __future__ import annotations

import contextlib
import socket
import struct
import zlib
from types import TracebackType

from tests.browser.harness import TIMEOUT_S, Server

BYTES, TEXT, MORE = 2, 1, 0
"""What a frame is: of bytes, of text, or more of the last one."""


def frame(content: bytes, kind: int = BYTES, *, ends: bool = True, packed: bool = False) -> bytes:
    """One frame, masked with zeros.

    Args:
        content: As it travels.
        kind: ``BYTES``, ``TEXT`` or ``MORE``.
        ends: Whether its message does.
        packed: Whether the message is compressed.
    """
    first = (0x80 if ends else 0) | (0x40 if packed else 0) | kind
    size = len(content)
    if size < 126:
        head = struct.pack("!BB", first, 0x80 | size)
    elif size < 2**16:
        head = struct.pack("!BBH", first, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, size)
    return head + bytes(4) + content


def packed(content: bytes) -> bytes:
    """Content as a browser compresses it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -12)
    return packer.compress(content) + packer.flush(zlib.Z_SYNC_FLUSH)


class Spoken:
    """A connection to a server, from its handshake on, until the ``with`` block ends.

    Args:
        server: Whom to ask.
        method: Of the handshake.
        headers: Further lines of it, each with its end.

    Attributes:
        answer: All that came so far.
    """

    def __init__(self, server: Server, method: str = "GET", headers: bytes = b"") -> None:
        self.answer = b""
        self._socket = socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S)
        self._socket.sendall(
            f"{method} /_stcore/stream HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n".encode()
            + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            + b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
            + headers
            + b"\r\n"
        )
        while b"\r\n\r\n" not in self.answer and self._take():
            pass

    def __enter__(self) -> Spoken:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()

    @property
    def status(self) -> str:
        """What the handshake came to; "" where nothing was answered."""
        return self.answer[9:12].decode()

    def say(self, *frames: bytes) -> None:
        """Send what may be refused while it is sent."""
        with contextlib.suppress(OSError):
            for each in frames:
                self._socket.sendall(each)

    def is_ended(self, seconds: float = TIMEOUT_S) -> bool:
        """Whether the server ends the connection, before long."""
        self._socket.settimeout(seconds)
        while self._take():
            pass
        return self._ended

    def _take(self) -> bool:
        self._ended = False
        try:
            came = self._socket.recv(65536)
        except TimeoutError:
            return False
        except OSError:
            came = b""
        self.answer += came
        self._ended = not came
        return bool(came)
