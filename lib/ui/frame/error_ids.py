"""The ids of errors that a page shows, by which their entries are found in the log."""

from __future__ import annotations

from lib.log.errors import reported


def shown(*errors: BaseException) -> str:
    """The ids as Markdown, each once. An error that has not been logged yet is logged."""
    ids = list(dict.fromkeys(map(reported, errors)))
    return f":small[Error {'id' if len(ids) == 1 else 'ids'} {', '.join(ids)}]"
