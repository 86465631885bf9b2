"""One entry of the log as text: for people, as JSON, or as ``key=value`` (logfmt)."""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum


class Form(StrEnum):
    """How an entry is written."""

    PLAIN = "plain"
    JSON = "json"
    LOGFMT = "logfmt"


def form_of(said: object) -> Form:
    """The form that somebody has said; for people where it is none: what is wrong with it stands in the log."""
    return Form(str(said)) if said in list(Form) else Form.PLAIN


ERROR_ID = "error_id"
"""Attribute of a record: the id that the page shows beside the same error."""

LEFT_OUT = "left_out"
"""Attribute of a record: what to say of others of its kind that are left out."""

_BARE = re.compile(r"[^\s\"=\\]+")


class Lines(logging.Formatter):
    """Writes the records of every logger in one form, each in one line but for tracebacks for people.

    Args:
        form: Which.
        shown: Takes secrets out of a text; gets the logger's name too.
    """

    def __init__(self, form: Form, shown: Callable[[str, str], str]) -> None:
        super().__init__()
        self._form, self._shown = form, shown

    def format(self, record: logging.LogRecord) -> str:
        message = self._shown(record.getMessage(), record.name)
        if left_out := getattr(record, LEFT_OUT, None):
            message = f"{message} ({left_out})"
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
        }
        if error_id := getattr(record, ERROR_ID, None):
            fields[ERROR_ID] = error_id
        if record.exc_info and record.exc_info[0] is not None:
            fields["exception"] = record.exc_info[0].__name__
            said = "".join(traceback.format_exception(*record.exc_info))
            fields["traceback"] = self._shown(said.rstrip("\n"), record.name)
        return line(self._form, fields)


def line(form: Form, fields: Mapping[str, str]) -> str:
    """One entry.

    Args:
        form: How.
        fields: ``time``, ``level``, ``logger``, ``message`` and whatever else, in their order.
    """
    match form:
        case Form.JSON:
            return _escaped(json.dumps(fields, ensure_ascii=False))
        case Form.LOGFMT:
            return " ".join(f"{name}={_value(text)}" for name, text in fields.items())
        case _:
            return _for_people(fields)


def _value(text: str) -> str:
    return text if _BARE.fullmatch(text) and text.isprintable() else _escaped(json.dumps(text, ensure_ascii=False))


def _escaped(written: str) -> str:
    """JSON in which whatever cannot be seen is written by its number: it is read in a terminal, which would obey it."""
    if written.isprintable():
        return written
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in written)


def _seen(text: str) -> str:
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _for_people(fields: Mapping[str, str]) -> str:
    # Names come from files and tables: none of them may begin a line that looks like an entry.
    message = _seen(fields["message"])
    error_id = f" (error id {fields[ERROR_ID]})" if ERROR_ID in fields else ""
    text = f"{fields['time']} {fields['level'].upper():7} {fields['logger']}: {message}{error_id}"
    return "\n    ".join([text, *map(_seen, fields.get("traceback", "").splitlines())])
