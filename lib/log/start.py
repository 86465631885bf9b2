"""Setting the log up: one form for our own entries, those of Streamlit and those of libraries; no secret in any."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Collection
from typing import TextIO

from lib.core.facts.credentials import MASK, redact
from lib.log.errors import WithId
from lib.log.lines import Form, Lines
from lib.log.often import MOST_OF_PAGES, Often

FOREIGN = ("streamlit", "uvicorn", "websockets")
"""Loggers of which Streamlit makes handlers of their own. What they say of a session names it, and whoever knows that
name may take the session."""
OF_PAGES = "streamlit.error_util"
"""Which of them logs what a page's script did not handle."""
OF_STRANGERS = ("runoff.gate.messages", "runoff.gate.unfinished")
"""Our own that say what strangers say, however often they do."""
LEAST_CHARACTERS = 6
"""Shorter secrets are words that occur in any text."""

_ID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_COOKIE = re.compile(r"\b((?:runoff|_streamlit)_\w+=)[^\s;,\"']+")


class _ToStandardError(logging.StreamHandler[TextIO]):
    """Writes to what is standard error at that moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


_HANDLER, _WITH_ID = _ToStandardError(), WithId()
_OFTEN, _OFTEN_OF_PAGES = Often(), Often(MOST_OF_PAGES)
_state: tuple[Form, frozenset[str], int] | None = None


def start(form: Form = Form.PLAIN, secrets: Collection[str] = ()) -> None:
    """Let everything that is logged from now on have a form.

    Cheap to call again, which is needed: libraries that are imported later have loggers of their own.

    Args:
        form: Of each entry.
        secrets: Texts that stand in no entry, whatever stands around them; beside all that looks like a credential.
    """
    global _state
    loggers = logging.root.manager.loggerDict
    state = form, frozenset(text for text in secrets if len(text) >= LEAST_CHARACTERS), len(loggers)
    if state == _state:
        return
    _state = state
    lines = Lines(form, lambda text, logger: shown(text, logger, state[1]))
    _HANDLER.setFormatter(lines)
    if _HANDLER not in logging.root.handlers:
        logging.root.addHandler(_HANDLER)
    logging.getLogger(OF_PAGES).addFilter(_WITH_ID)
    for name in OF_STRANGERS:
        logging.getLogger(name).addFilter(_OFTEN)
    for name, logger in list(loggers.items()):
        if isinstance(logger, logging.Logger) and name.partition(".")[0] in FOREIGN:
            logger.addFilter(_OFTEN_OF_PAGES if name == OF_PAGES else _OFTEN)
            for handler in logger.handlers:
                handler.setFormatter(lines)
            if not logger.handlers and not logger.propagate:
                # Streamlit cuts Uvicorn's loggers off from above, and Uvicorn takes their handlers: Python would then
                # write what they say from warnings on, as it is.
                logger.propagate = True
                logger.setLevel(max(logger.level, logging.WARNING))


def shown(text: str, logger: str, secrets: Collection[str] = ()) -> str:
    """A text as the log may have it: without secrets, cookies, and names of sessions."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    text = _COOKIE.sub(rf"\1{MASK}", redact(text))
    return _ID.sub(MASK, text) if logger.partition(".")[0] in FOREIGN else text
