"""What the name of a file says of it as a log of lines of text."""

from __future__ import annotations

import re

NOT_LOGS = re.compile(
    r"(?:readme|licen[cs]e|copying|notice|changelog|changes|authors|requirements|constraints|cmakelists|vocab|merges|"
    r"robots|todo|citation|classes|labels|top_level|sources|entry_points|dependency_links)\b[\w.-]*",
    re.IGNORECASE,
)
"""Texts that lie beside trainings, whatever stands in them."""

EMPTY = "The log is empty: nothing was written to it, or it was not copied."
_MAY_BE_EMPTY = re.compile(
    r"(?:.*[-_.])?(?:output|stdout|stderr|console|debug\w*|errors?|err|warnings?)(?:[-_.].*)?", re.IGNORECASE
)
"""Logs of what went wrong, and of what a program printed beside its own log: mostly there is nothing in them."""


def should_be_written(name: str) -> bool:
    """Whether somebody would wonder what became of a log of this name in which nothing stands.

    Example:
        >>> should_be_written("train.log"), should_be_written("stderr.log"), should_be_written("done.txt")
        (True, False, False)
    """
    return name.lower().endswith(".log") and not _MAY_BE_EMPTY.fullmatch(name)
