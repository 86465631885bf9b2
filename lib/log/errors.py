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
    error_id, is_new = _id_of(error)
    if not is_new:
        return error_id
    # That a source does not answer is nothing that is wrong with the app or its settings.
    level = logging.WARNING if isinstance(error, RunSourceError) else logging.ERROR
    said = str(error) or type(error).__name__
    logging.getLogger(LOGGER).log(level, "%s", said, exc_info=error, extra={ERROR_ID: error_id})
    return error_id


def goes_on(before: BaseException, error: BaseException) -> None:
    """Give an error the id of one before it where both say the same: what is tried again and again is logged once."""
    if type(before) is type(error) and str(before) == str(error):
        with _LOCK:
            if not _notes_of(error):
                for note in _notes_of(before):
                    error.add_note(note)


class WithId(logging.Filter):
    """Gives entries of others that are about an error its id: a page that shows it later finds the entry."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[1] is not None:
            setattr(record, ERROR_ID, _id_of(record.exc_info[1])[0])
        return True


def _id_of(error: BaseException) -> tuple[str, bool]:
    """The id that an error carries, and whether it is new."""
    with _LOCK:
        for note in _notes_of(error):
            return note.removeprefix(_NOTE), False
        error_id = secrets.token_hex(4)
        error.add_note(_NOTE + error_id)
        return error_id, True


def _notes_of(error: BaseException) -> list[str]:
    """The note that has an error's id, where it has one."""
    notes: list[str] = getattr(error, "__notes__", [])
    return [note for note in notes if note.startswith(_NOTE)][:1]
