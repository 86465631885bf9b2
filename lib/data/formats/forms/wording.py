"""How forms are called in the sentences on what was read from where."""

from __future__ import annotations

from collections.abc import Sequence

from lib.core.facts.foreign import isolated
from lib.data.formats.forms.form import Form

NAMED = 4
"""So many files, metrics or settings are named in a sentence."""
LONG_NAME = 24
"""A file with a longer name is called by its format."""


def source_of(form: Form) -> str:
    """What a form is called in a sentence: by its file, or by its format where it has many."""
    if len(form.files) == 1 and len(form.files[0][-1]) <= LONG_NAME:
        return isolated(form.files[0][-1])
    return isolated(form.format)


def listed(names: Sequence[str]) -> str:
    """Names in a sentence, of many only the first."""
    told = [isolated(name) for name in names[:NAMED]]
    if len(names) > NAMED:
        return f"{', '.join(told)} and {len(names) - NAMED} more"
    *first, last = told
    return f"{', '.join(first)} and {last}" if first else last
