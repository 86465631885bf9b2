"""Where files go that were dropped one by one: what describes one run stays together, what is called alike does not."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence

from lib.data.trainer.hf_log import TRAINER_STATE
from lib.data.upload.names import Parts, folded, plain_name

_STATE_STEM, _STATE_END = os.path.splitext(TRAINER_STATE)
_STATE = re.compile(rf"(.*?)[ ._-]*{_STATE_STEM}[ ._-]*(.*?){re.escape(_STATE_END)}", re.IGNORECASE | re.DOTALL)
"""The log of a ``Trainer`` under a name that tells it from others, such as "lr3 trainer_state.json". It has one name
for all runs, so that whoever has several of them in one place has renamed them, or their browser has."""


def placed(names: Sequence[str], new_folder: Callable[[str], str]) -> list[Parts]:
    """Where each of some files goes that were dropped together.

    They share a folder, since configurations lie beside logs. The second file of a name goes to a second folder, and
    so on. A file that came alone has a folder of its name, which the run is called by.

    Args:
        names: Of the files.
        new_folder: Makes a name that no folder has, of one that would do; of "" one with a number.
    """
    if len(names) == 1 and not _state_of(names[0]):
        name = plain_name(names[0])
        return [_alone(name, new_folder)]
    shared: list[str] = []
    seen: Counter[str] = Counter()
    places: list[Parts] = []
    for name in map(plain_name, names):
        renamed = _state_of(name)
        if renamed:
            places.append((new_folder(renamed), TRAINER_STATE))
            continue
        at = seen[folded(name)]
        seen[folded(name)] += 1
        if at == len(shared):
            shared.append(new_folder(""))
        places.append((shared[at], name))
    return places


def _alone(name: str, new_folder: Callable[[str], str]) -> Parts:
    # The name of this log says nothing.
    stem = "" if name == TRAINER_STATE else os.path.splitext(name)[0]
    return new_folder(stem), name


def _state_of(name: str) -> str:
    """What is left of a renamed log's name; "" where it is none."""
    found = _STATE.fullmatch(plain_name(name))
    return " ".join(filter(None, found.groups())) if found else ""
