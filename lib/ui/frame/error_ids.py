"""The ids of errors that a page shows, by which their entries are found in the log."""

from __future__ import annotations

from lib.log.errors import reported


def said(*errors: BaseException) -> str:
    """The ids, each once. An error that has not been logged yet is logged."""
    ids = list(dict.fromkeys(map(reported, errors)))
    return f"Error {'id' if len(ids) == 1 else 'ids'} {', '.join(ids)}"


def shown(*errors: BaseException) -> str:
    """The same in small letters, as Markdown."""
    return f":small[{said(*errors)}]"
