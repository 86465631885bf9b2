"""Where files go that were dropped one by one: what describes one run stays together, what is called alike does not."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence

from lib.data.trainer.hf_log import TRAINER_STATE
from lib.data.upload.names import Parts, folded, plain_name

_STATE_STEM, _STATE_END = os.path.splitext(TRAINER_STATE)
_STATE = re.compile(rf"(?>(.*?){_STATE_STEM})(.*){re.escape(_STATE_END)}", re.IGNORECASE | re.DOTALL)
"""The log of a ``Trainer`` under a name that tells it from others, such as "lr3 trainer_state.json". It has one name
for all runs, so that whoever has several of them in one place has renamed them, or their browser has."""
_SIGNS = " ._-"

_SAYS_NOTHING = frozenset([".json", ".yaml", ".yml", ".toml", ".md", ".cfg", ".ini"])
"""Ends of what lies beside logs and describes them, or may."""
_NO_LOG = frozenset(
    [
        ".pkl",
        ".pickle",
        ".pt",
        ".pth",
        ".ckpt",
        ".bin",
        ".safetensors",
        ".h5",
        ".keras",
        ".onnx",
        ".npy",
        ".npz",
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
        ".svg",
        ".pdf",
        ".py",
        ".ipynb",
        ".sh",
        ".html",
        ".mp4",
    ]
)
"""Ends of what often lies beside logs and is none."""


def placed(names: Sequence[str], new_folder: Callable[[str], str]) -> list[Parts]:
    """Where each of some files goes that were dropped together.

    They share a folder, since configurations lie beside logs. The second file of a name goes to a second folder, and
    so on. A file that came alone has a folder of its name, which the run is called by.

    Args:
        names: Of the files.
        new_folder: Makes a name that no folder has, of one that would do; of "" one with a number.
    """
    told = _told_by(names)
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
            shared.append(new_folder(told))
        places.append((shared[at], name))
    return places


def may_be_log(name: str) -> bool:
    """Whether a file of this name may be a log, or an archive of some, and is not what lies beside one."""
    plain = plain_name(name)
    return (
        plain == TRAINER_STATE
        or bool(_state_of(name))
        or os.path.splitext(plain)[1].lower() not in _SAYS_NOTHING | _NO_LOG
    )


def _alone(name: str, new_folder: Callable[[str], str]) -> Parts:
    # The name of this log says nothing.
    stem = "" if name == TRAINER_STATE else os.path.splitext(name)[0]
    return new_folder(stem), name


def _told_by(names: Sequence[str]) -> str:
    """What the only log among some files is called; "" where there are several, or where its name says nothing."""
    plain = [plain_name(name) for name in names]
    if any(name == TRAINER_STATE for name in plain):
        return ""
    stems = [os.path.splitext(name) for name in plain if "tfevents" not in name and not _state_of(name)]
    logs = {stem for stem, end in stems if end.lower() not in _SAYS_NOTHING | _NO_LOG}
    return logs.pop() if len(logs) == 1 else ""


def _state_of(name: str) -> str:
    """What a renamed log's run is called; "" where it is none. A number alone tells no one what it counts."""
    found = _STATE.fullmatch(plain_name(name))
    left = " ".join(filter(None, (found[1].rstrip(_SIGNS), found[2].lstrip(_SIGNS)))) if found else ""
    return left if not left or any(map(str.isalpha, left)) else f"{_STATE_STEM} {left}"
