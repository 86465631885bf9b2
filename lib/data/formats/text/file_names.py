"""What the name of a file says of it as a log of lines of text."""

from __future__ import annotations

import re

NOT_LOGS = re.compile(
    r"(?:readme|licen[cs]e|copying|notice|changelog|changes|authors|requirements|constraints|cmakelists|vocab|merges|"
    r"robots|todo|citation|classes|labels|top_level|sources|entry_points|dependency_links)\b[\w.-]*",
    re.IGNORECASE,
)
"""Texts that lie beside trainings, whatever stands in them."""

_NAMES = re.compile(
    r"(?:(?:.+\.)?(?:log|txt|out|err)|(?:.*[-_.])?(?:stdout|stderr|nohup|log))(?:\.gz)?|.+\.ipynb", re.IGNORECASE
)
_PART = re.compile(
    r"(?P<name>.+\.(?:log|txt|out|err)|stdout|stderr|nohup)"
    r"[.-](?:(?P<number>\d{1,4})|(?P<day>\d{4}-?\d\d-?\d\d(?:[_T-]\d\d(?:[-:]?\d\d){0,2})?))(?:\.gz)?",
    re.IGNORECASE,
)
"""A part of a log that a newer one took the place of: "train.log.1", "train.log.2026-01-31", "train.log-20260131.gz".
"""

_MAY_BE_EMPTY = re.compile(
    r"(?:.*[-_.])?(?:output|stdout|stderr|console|debug[^\W_]*+|errors?|err|warnings?)(?:[-_.].*)?",
    re.IGNORECASE | re.DOTALL,
)
"""Logs of what went wrong, and of what a program printed beside its own log: mostly there is nothing in them."""


def should_be_written(name: str) -> bool:
    """Whether somebody would wonder what became of a log of this name in which nothing stands.

    Example:
        >>> should_be_written("train.log"), should_be_written("stderr.log"), should_be_written("done.txt")
        (True, False, False)
    """
    return name.lower().endswith(".log") and not _MAY_BE_EMPTY.fullmatch(name)


def may_be_log(name: str) -> bool:
    """Whether a file of this name may be a log of lines, or a part of one."""
    return bool(_NAMES.fullmatch(name) or _PART.fullmatch(name)) and not NOT_LOGS.fullmatch(name)


def whole_of(name: str) -> str:
    """What the log is called that a file is a part of, or holds packed.

    Example:
        >>> whole_of("train.log.2.gz"), whole_of("train.log-20260131"), whole_of("train.log.gz"), whole_of("a.txt")
        ('train.log', 'train.log', 'train.log', 'a.txt')
    """
    part = _PART.fullmatch(name)
    return part["name"] if part else re.sub(r"\.gz$", "", name, flags=re.IGNORECASE)


def age_of(name: str) -> tuple[bool, int]:
    """Sorts the newest part first: that without a number or a day, then the lowest number or the latest day."""
    part = _PART.fullmatch(name)
    if part is None:
        return False, 0
    return True, int(part["number"]) if part["number"] else -int(re.sub(r"\D", "", part["day"]).ljust(14, "0"))
