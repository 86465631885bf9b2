"""What the names of folders and files say of checkpoints: which hold one, of what step, and whether it is whole."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = r"(?:checkpoint|ckpt)"
_UNFINISHED = r"(?:tmp|temp|partial)"
_CERTAIN = re.compile(
    rf"(?:{_UNFINISHED}[-_])?checkpoint-.+"
    rf"|(?:{_UNFINISHED}[-_])?{_WORD}[-_]?(?:(?:(?:global_?)?step|epoch|iter)[-_=]?)?\d+"
    rf"|{_WORD}[-_](?:best|last|latest|final)"
    rf"|(?:best|last|latest|final)[-_]{_WORD}(?:[-_]\d+)?",
    re.IGNORECASE,
)
_PERHAPS = re.compile(
    r"(?:(?:global_?)?step|epoch|iter)[-_=]?\d+|(?:best|last|latest|final)(?:[-_]?(?:model|adapter|weights|epoch|step))?",
    re.IGNORECASE,
)
_EPOCH = re.compile(r"epoch[-_=]?(\d+)", re.IGNORECASE)
_BEST = re.compile(r"(?<![a-z])best(?![a-z])|best(?=model|adapter|weights)", re.IGNORECASE)
_LAST = re.compile(r"(?<![a-z])(?:last|latest)(?![a-z])|(?:last|latest)(?=model|adapter|weights)", re.IGNORECASE)
_NUMBER, _MOST_DIGITS = re.compile(r"\d+"), 15
_WEIGHTS = re.compile(
    r"(?:adapter_)?model.*\.(?:safetensors|bin|pt|pth)(?:\.index\.json)?|pytorch_model.*\.bin(?:\.index\.json)?"
    r"|consolidated.*\.(?:safetensors|pth|pt)|tf_model.*\.h5|flax_model.*\.msgpack|.*\.(?:pt|pth|ckpt|gguf|distcp)",
    re.IGNORECASE,
)
_STATE_OF_TRAINING = re.compile(
    r"(?:optim|sched|scaler|rng|random_states|training_args|trainer|lr_|.*optim_states|.*_optimizer)", re.IGNORECASE
)
_SHARD = re.compile(r"(?P<stem>.*)-(?P<number>\d+)-of-(?P<all>\d+)\.\w+", re.IGNORECASE)


def is_checkpoint(name: str) -> bool:
    """Whether a folder of this name is a checkpoint of the training in the folder around it."""
    return _CERTAIN.fullmatch(name) is not None


def may_be_checkpoint(name: str) -> bool:
    """As ``is_checkpoint``, or the name may also be that of a run: "epoch_3", "best_model"."""
    return is_checkpoint(name) or _PERHAPS.fullmatch(name) is not None


def is_unfinished(name: str) -> bool:
    """Whether the name is that of a save that is under way: the ``Trainer`` renames it when it is done."""
    return re.match(rf"{_UNFINISHED}[-_]", name, re.IGNORECASE) is not None


def is_of_best(name: str) -> bool:
    """Whether the name says that it is the best one."""
    return _BEST.search(name) is not None


def is_of_last(name: str) -> bool:
    """Whether the name says that it is the last one that was saved."""
    return _LAST.search(name) is not None


def epoch_in(name: str) -> int | None:
    """The epoch that the name states."""
    found = _EPOCH.search(name)
    return int(found[1]) if found else None


def step_in(name: str) -> int | None:
    """The step that the name states: its last number, unless it is one of an epoch alone.

    Example:
        >>> step_in("checkpoint-300"), step_in("global_step500"), step_in("epoch_3"), step_in("epoch=1-step=40")
        (300, 500, None, 40)
    """
    numbers = _NUMBER.findall(_EPOCH.sub("", name))
    # More digits are of an identity; Python refuses to read some thousands.
    return int(numbers[-1]) if numbers and len(numbers[-1]) <= _MOST_DIGITS else None


def is_weight_file(name: str) -> bool:
    """Whether a file of this name holds weights, or lists the files that do; an optimizer's state is none."""
    return _WEIGHTS.fullmatch(name) is not None and _STATE_OF_TRAINING.match(name) is None


def lacks_shards(names: Iterable[str]) -> bool:
    """Whether files of a set that counts itself ("model-00001-of-00003.safetensors") are missing."""
    sets: dict[tuple[str, int], set[int]] = {}
    for name in names:
        if shard := _SHARD.fullmatch(name):
            sets.setdefault((shard["stem"], int(shard["all"])), set()).add(int(shard["number"]))
    return any(len(numbers) < count for (_, count), numbers in sets.items())
