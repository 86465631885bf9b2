"""Foreign text in the name of a file to keep."""

from __future__ import annotations

import unicodedata

from lib.core.facts.foreign import without_controls

LONGEST = 60
"""Characters: the longest ones are cut by file systems and by browsers, each in its own way."""
_KEPT = frozenset("._-")


def in_file_name(text: str) -> str:
    r"""Of a text the letters and digits of any script; one hyphen for whatever else stands between them.

    Example:
        >>> in_file_name("eval_\u202egnp.exe"), in_file_name("../train/loss|x"), in_file_name("客服 1")
        ('eval_gnp.exe', 'train-loss-x', '客服-1')
    """
    kept = [each if each in _KEPT or unicodedata.category(each)[0] in "LMN" else " " for each in without_controls(text)]
    parts = "".join(kept).split()
    return "-".join(part for each in parts if (part := each.strip(".-")))[:LONGEST]
