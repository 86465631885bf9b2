"""What an upload is refused with."""

from __future__ import annotations

from lib.core.facts.credentials import redact
from lib.core.facts.errors import AppError
from lib.core.facts.foreign import isolated
from lib.core.text.formatting import shorten_middle

LONGEST_SHOWN = 80


class UploadRefused(AppError):
    """Something of an upload was not taken: the message says what was expected and what came."""


def said(name: str) -> str:
    """A name out of somebody's archive, as it can stand in a sentence."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace("\0", "\\0")
    # Of a credential that is cut through nobody knows the end any more.
    return isolated(shorten_middle(redact(text), LONGEST_SHOWN, LONGEST_SHOWN // 2))
