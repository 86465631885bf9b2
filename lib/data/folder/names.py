"""What the folders around a run say: its name, its identity, and some of its hyperparameters."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from lib.data.folder.training_files import stated

MAX_ID_LENGTH = 60
"""Five ids must fit into a link that people paste."""


def readable(name: str) -> str:
    """The name of a file or folder as text: bytes that are no text are written out in hexadecimal."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def run_id_of(folder: Sequence[str]) -> str:
    """Return the identity of the run in a folder, given by its path below the root.

    Only letters, digits, "_", "." and "-" occur, so that an id can stand in a link as it is. Where
    something else had to be replaced, or cut, the first digits of the path's SHA-256 keep ids apart.

    Example:
        >>> run_id_of(["run1"]), run_id_of(["old", "8 3e-5"]), run_id_of([])
        ('run1', 'old-8-3e-5-39b94ac7', '.')
    """
    path = "/".join(folder) or "."
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", path)
    if plain == path and len(path) <= MAX_ID_LENGTH:
        return path
    digest = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{plain[-(MAX_ID_LENGTH - 9) :].strip('-')}-{digest}"


def telling_names(folders: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """Name each folder by the fewest of its last parts that tell it from all others.

    Last parts that all have in common ("output") tell nothing and are left out.

    Example:
        >>> telling_names([("x", "a", "out"), ("x", "b", "out"), ("y", "b", "out")]).values()
        dict_values(['a', 'x/b', 'y/b'])
    """
    paths = list(folders)
    shared = 0
    if len(paths) > 1:
        shortest = min(len(path) for path in paths)
        while shared < shortest - 1 and len({path[-1 - shared] for path in paths}) == 1:
            shared += 1
    telling = [path[: len(path) - shared] for path in paths]
    ends = Counter(path[-count:] for path in telling for count in range(1, len(path) + 1))
    names = {}
    for whole_path, path in zip(paths, telling, strict=True):
        counts = range(1, len(path) + 1)
        count = next((count for count in counts if ends[path[-count:]] == 1), len(path))
        names[whole_path] = readable("/".join(path[-count:]))
    return names


_NUMBER = r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_BATCH_AND_RATE = re.compile(r"([1-9]\d{0,4}) +(\d+(?:\.\d+)?[eE]-\d+)")
_KEYED = re.compile(
    r"(?<![A-Za-z0-9])(?P<key>"
    r"lr|learning_?rate|bs|bsz|(?:per_device_)?(?:train_)?batch_?size|(?:num_)?(?:train_)?epochs|"
    r"wd|weight_?decay|seed|grad_accum|gradient_accumulation_steps|(?:lora_?)?(?:rank|r|alpha))"
    rf"(?P<sign>[=:]|[-_ ])?(?P<value>{_NUMBER})(?![A-Za-z0-9]|\.\d)",
    re.IGNORECASE,
)
_PARAMETER_OF_KEY = {
    "lr": "learning_rate",
    "learningrate": "learning_rate",
    "bs": "batch_size",
    "bsz": "batch_size",
    "batchsize": "batch_size",
    "epochs": "num_train_epochs",
    "wd": "weight_decay",
    "weightdecay": "weight_decay",
    "seed": "seed",
    "gradaccum": "gradient_accumulation_steps",
    "gradientaccumulationsteps": "gradient_accumulation_steps",
    "r": "r",
    "rank": "r",
    "alpha": "lora_alpha",
}
_TITLES = {
    "learning_rate": "learning rate",
    "batch_size": "batch size",
    "num_train_epochs": "epochs",
    "weight_decay": "weight decay",
    "gradient_accumulation_steps": "gradient accumulation",
    "r": "LoRA rank",
    "lora_alpha": "LoRA alpha",
}


def hyperparameters_in(folder: str) -> dict[str, float]:
    """Read the hyperparameters that a folder's name states, in the forms that people use.

    These are a bare "8 3e-5" (batch size, learning rate) and keyed numbers: "lr3e-5_bs8",
    "lr=2e-4,r=16", "lora_r16_lr2e-4". A bare "r16" or "alpha32" counts only where the name also says
    "lora", and a learning rate only where it is a fraction: "lr1" and "r2" may number anything.

    Example:
        >>> hyperparameters_in("8 3e-5"), hyperparameters_in("lora_r16_lr2e-4"), hyperparameters_in("v2 run 3")
        ({'batch_size': 8, 'learning_rate': 3e-05}, {'r': 16, 'learning_rate': 0.0002}, {})
    """
    if bare := _BATCH_AND_RATE.fullmatch(folder.strip()):
        pairs = [("batch_size", bare[1]), ("learning_rate", bare[2])]
    else:
        pairs = [
            (parameter, match["value"])
            for match in _KEYED.finditer(folder)
            if (parameter := _parameter_of(match, folder)) is not None
        ]
    found: dict[str, float] = {}
    for parameter, value in pairs:
        number = float(value)
        if parameter in ("learning_rate", "weight_decay"):
            plausible = 0 < number < 1 if parameter == "learning_rate" else 0 <= number < 1
        else:
            plausible = value.isdecimal() and (number > 0 or parameter == "seed") and number < 2**31
            number = int(value) if plausible else number
        if plausible:
            found.setdefault(parameter, number)
    return found


def _parameter_of(match: re.Match[str], folder: str) -> str | None:
    key = re.sub(r"_|lora|per_device|train|num", "", match["key"].lower())
    parameter = _PARAMETER_OF_KEY[key]
    clear = match["sign"] in ("=", ":") or "lora" in folder.lower()
    return parameter if clear or parameter not in ("r", "lora_alpha") else None


def add_folder_hyperparameters(config: dict[str, dict[str, Any]], folders: Sequence[str]) -> tuple[str, ...]:
    """Add to ``config`` what the folders' names state and nothing else does; return sentences that say so.

    Args:
        config: Sections as of ``config_of``; gains ``training`` and ``lora``.
        folders: The names of the folders around the run, from the outermost in; inner names win.
    """
    notes = []
    for folder in reversed(folders):
        added = {
            parameter: value
            for parameter, value in hyperparameters_in(folder).items()
            if stated(config, parameter) is None
        }
        for parameter, value in added.items():
            section = "lora" if parameter in ("r", "lora_alpha") else "training"
            config.setdefault(section, {})[parameter] = value
        if added:
            *others, last = (_TITLES.get(parameter, parameter) for parameter in added)
            subject = f"{', '.join(others)} and {last}" if others else last
            verb = "were" if others or last == "epochs" else "was"
            notes.append(f'{subject[0].upper()}{subject[1:]} {verb} read from the folder name "{folder}".')
    return tuple(notes)
