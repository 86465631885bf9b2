"""Whether what somebody uploads is here already."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from lib.data.upload.loose import may_be_log
from lib.data.upload.refusals import said

_AT_ONCE = 2**20


class Known:
    """The logs and archives of one upload, by what they hold. Not safe to share between threads."""

    def __init__(self) -> None:
        self._titles: dict[tuple[int, bytes], tuple[int, str]] = {}

    def told(self, number: int, name: str, file: BinaryIO, size: int) -> str:
        """Take note of a file, and say so where the same one is here already; "" where it is new.

        What lies beside logs, as a configuration does, may well be the same for several runs.

        Args:
            number: Of the item that it comes with.
            name: What it is called. Foreign text.
            file: Is read from its beginning.
            size: How many bytes it has.
        """
        if not may_be_log(name):
            return ""
        digest = hashlib.blake2b(digest_size=16)
        file.seek(0)
        while part := file.read(_AT_ONCE):
            digest.update(part)
        file.seek(0)
        key = size, digest.digest()
        if key in self._titles:
            return f"{said(name)} is the same as {said(self._titles[key][1])}, which is here already."
        self._titles[key] = number, name
        return ""

    def forget(self, number: int) -> None:
        """An item was removed."""
        self._titles = {key: held for key, held in self._titles.items() if held[0] != number}
