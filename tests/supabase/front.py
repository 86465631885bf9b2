"""A server before a project that answers in its place, byte for byte, or not at all: what networks and proxies do.

It is no HTTP server: what it sends need not be HTTP. Requests that nothing is to happen to go on to the project.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

TLS_HELLO = b"\x16\x03"
"""What a client sends first that wants a secure connection; nobody here speaks TLS."""

Answer = Callable[["Connection"], None]
"""Answers a request, or does not."""


class Connection:
    """A request that came, and the way back.

    Attributes:
        method, path: Of the request; without the query.
    """

    def __init__(self, front: Front, client: socket.socket, head: bytes, body: bytes) -> None:
        self._front, self._client, self._head, self._body = front, client, head, body
        self.method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        self.path = target.partition("?")[0]

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._client.sendall(data)

    def reset(self) -> None:
        """End the connection as a crash does."""
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._client.close()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the front is mended; whether it was. In between nothing is sent."""
        return self._front.mended.wait(seconds)

    def forward(self) -> bytes:
        """What the project answers."""
        lines = [
            line
            for line in self._head.split(b"\r\n")
            if not line.lower().startswith((b"connection:", b"accept-encoding:"))
        ]
        with socket.create_connection(self._front.upstream) as server:
            server.sendall(b"\r\n".join([*lines[:-2], b"connection: close", b"", b""]) + self._body)
            pieces = []
            while piece := server.recv(65536):
                pieces.append(piece)
        return b"".join(pieces)


class Front:
    """Listens on a loopback port in the place of a project.

    Attributes:
        url: Where.
        upstream: The project.
        mended: Is set while nothing goes wrong.
        struck: How many requests something happened to.
        secure: With what certificate it speaks TLS; ``None`` where it does not.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.upstream = (parts.hostname or "", parts.port or 80)
        self.mended = threading.Event()
        self.mended.set()
        self.struck = 0
        self._prefix, self._answer = "/", Connection.forward
        self.secure: ssl.SSLContext | None = None
        self._port = 0
        self._listen()

    def breaks(self, prefix: str, answer: Answer | None) -> None:
        """From now on requests below a path are answered so; with ``None`` nobody listens at all."""
        self.struck = 0
        self._prefix = prefix
        self.mended.clear()
        if answer is None:
            self._close()
        else:
            self._answer = answer

    def mends(self) -> None:
        """All is well again."""
        self._prefix, self._answer = "/", Connection.forward
        self.mended.set()
        if self._socket.fileno() < 0:
            self._listen()

    def stop(self) -> None:
        """Listen no more."""
        self.mended.set()
        self._close()

    def _listen(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", self._port))
        self._port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        threading.Thread(target=self._serve, args=(self._socket,), name="front", daemon=True).start()

    def _close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._take, args=(client,), name="front-request", daemon=True).start()

    def _take(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if self.secure is not None and client.recv(2, socket.MSG_PEEK) == TLS_HELLO:
                self.secure.wrap_socket(client, server_side=True).close()
                return None
            received = b""
            while b"\r\n\r\n" not in received:
                piece = client.recv(65536)
                if not piece:
                    return None
                received += piece
                if received.startswith(TLS_HELLO):
                    return client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            head, _, body = received.partition(b"\r\n\r\n")
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                ),
                0,
            )
            while len(body) < length:
                body += client.recv(65536)
            connection = Connection(self, client, head + b"\r\n\r\n", body)
            if not self.mended.is_set() and connection.path.startswith(self._prefix):
                self.struck += 1
                self._answer(connection)
            else:
                connection.send(connection.forward())
        return None
