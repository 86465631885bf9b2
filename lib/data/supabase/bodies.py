"""Bodies of answers, read within a time and within bounds: the HTTP client's time-outs are for each piece."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx

MOST_BODY = 256 * 2**20
"""Bytes of one answer: a page of rows has some megabytes."""


def whole_body(response: httpx.Response, deadline: float) -> bytes | None:
    """The whole body; ``None`` where it is too long.

    The client's own time-outs are for each piece, so a trickle would never end.
    """
    pieces, size = [], 0
    for piece in response.iter_bytes():
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("The answer trickles.", request=response.request)
        size += len(piece)
        if size > MOST_BODY:
            return None
        pieces.append(piece)
    return b"".join(pieces)


class Bounded(httpx.SyncByteStream):
    """A body that ends in time and within bounds, for a library that reads it by itself."""

    def __init__(self, stream: httpx.SyncByteStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._stream:
            size += len(piece)
            if time.monotonic() > self._deadline:
                raise httpx.ReadTimeout("The answer trickles.")
            if size > MOST_BODY:
                raise httpx.ReadError("The answer is too long.")
            yield piece

    def close(self) -> None:
        self._stream.close()
