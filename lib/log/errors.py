"""Errors that a page shows: each gets an id, by which its entry in the log is found."""

from __future__ import annotations

import logging
import secrets
import threading

from lib.core.facts.errors import RunSourceError
from lib.log.lines import ERROR_ID

LOGGER = "runoff"
_NOTE = "Error id "
_LOCK = threading.Lock()


def reported(error: BaseException) -> str:
    """The id of an error. It is logged when it is asked for the first time: a page shows the same error at every run.

    Returns:
        Eight hexadecimal digits, drawn at random.
    """
    with _LOCK:
        notes: list[str] = getattr(error, "__notes__", [])
        for note in notes:
            if note.startswith(_NOTE):
                return note.removeprefix(_NOTE)
        error_id = secrets.token_hex(4)
        error.add_note(_NOTE + error_id)
    # That a source does not answer is nothing that is wrong with the app or its settings.
    level = logging.WARNING if isinstance(error, RunSourceError) else logging.ERROR
    said = str(error) or type(error).__name__
    logging.getLogger(LOGGER).log(level, "%s", said, exc_info=error, extra={ERROR_ID: error_id})
    return error_id
