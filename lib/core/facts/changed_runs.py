"""A run with some of its facts changed."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from lib.core.facts.runs import RunSummary

_SLOTS = {each.name: RunSummary.__dict__[each.name] for each in fields(RunSummary)}


def changed(run: RunSummary, **changes: Any) -> RunSummary:
    """As ``dataclasses.replace``; only what is changed is masked and cut, as all else was when the run was made.

    Raises:
        TypeError: If a run has no such field.
        ValueError: If its identity is empty.
    """
    new = RunSummary(**{"run_id": run.run_id, "name": run.name, "notes": run.notes, **changes})
    for name, slot in _SLOTS.items():
        if name not in changes and name != "notes":
            slot.__set__(new, slot.__get__(run))
    return new
