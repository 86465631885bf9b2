"""Runs made of runs: with some facts changed, or again of what one was written down as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from operator import attrgetter
from typing import Any

from lib.core.facts.masks import bound
from lib.core.facts.runs import RunSummary
from lib.core.facts.sizes import Bounded

_NAMES = tuple(each.name for each in fields(RunSummary))
_SET = tuple(RunSummary.__dict__[name].__set__ for name in _NAMES)
_VALUES_OF = attrgetter(*_NAMES)
_DEFAULTS = {each.name: None if each.default is MISSING else each.default for each in fields(RunSummary)}


def changed(run: RunSummary, **changes: Any) -> RunSummary:
    """As ``dataclasses.replace``; only what is changed is masked and cut, as all else was when the run was made.

    Raises:
        TypeError: If a run has no such field.
        ValueError: If its identity is empty.
    """
    new = _made({**dict(zip(_NAMES, _VALUES_OF(run), strict=True)), **changes})
    bound(new, changes)
    return new


def made_again(said: Mapping[str, Any]) -> RunSummary:
    """A run of its fields as they were when it was made, so that nothing has to be masked or cut; others have defaults.

    Raises:
        TypeError, ValueError: As ``changed``.
    """
    return _made({**_DEFAULTS, "extra": {}, **said, "config": Bounded(said.get("config", {}))})


def _made(held: Mapping[str, Any]) -> RunSummary:
    if len(held) != len(_NAMES):
        raise TypeError(f"A run has no field {', '.join(held.keys() - set(_NAMES))}.")
    if not held["run_id"] or not isinstance(held["run_id"], str) or not isinstance(held["name"], str):
        raise ValueError("A run needs a non-empty run_id, and a name.")
    new = object.__new__(RunSummary)
    for put, value in zip(_SET, held.values(), strict=True):
        put(new, value)
    return new
