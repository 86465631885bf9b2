"""Hyperparameters that the folders around a run state in their names, and whether its log agrees.

A name is a hint: people copy folders, rename them, or change a setting and forget the name. What the configuration
states goes before it, and so does a learning rate that was logged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from lib.core.curves.metric_curves import MetricCurve
from lib.core.curves.peak_rate import refuting_peak
from lib.core.facts.foreign import isolated
from lib.core.facts.values import finite
from lib.data.stated.settings import stated

RATE_TOLERANCE = 0.1
"""Names round, and a schedule that is logged at intervals shows a little less than its peak."""

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
    return dict(_stated_in(folder))


@lru_cache(maxsize=4096)
def _stated_in(folder: str) -> Mapping[str, float]:
    # Thousands of runs lie in the same folders.
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
    return MappingProxyType(found)


def unseeded(folders: Sequence[str]) -> str | None:
    """The names around a log without the seed that the innermost of them states; ``None`` where none states one.

    Example:
        >>> unseeded(["a", "lr3e-5_seed1.csv"]), unseeded(["seed_7", "log.csv"]), unseeded(["a"])
        ('a/lr3e-5_*.csv', '*/log.csv', None)
    """
    for at in range(len(folders) - 1, -1, -1):
        name = folders[at]
        stated = [
            match.span() for match in _KEYED.finditer(name) if _PARAMETER_OF_KEY.get(match["key"].lower()) == "seed"
        ]
        if "seed" in hyperparameters_in(name) and stated:
            start, end = stated[0]
            return "/".join((*folders[:at], f"{name[:start]}*{name[end:]}", *folders[at + 1 :]))
    return None


def _parameter_of(match: re.Match[str], folder: str) -> str | None:
    key = re.sub(r"_|lora|per_device|train|num", "", match["key"].lower())
    parameter = _PARAMETER_OF_KEY[key]
    clear = match["sign"] in ("=", ":") or "lora" in folder.lower()
    return parameter if clear or parameter not in ("r", "lora_alpha") else None


_FILE = re.compile(r"\.(?:csv|tsv|jsonl?|log|txt|out|parquet|db|tfevents)(?:\.gz)?$", re.I)


class NameHints:
    """The hyperparameters that the folders' names state for one run.

    Attributes:
        values: All of them, the innermost folder that states one winning.
        notes: Sentences on which were taken, and on which the configuration or the log contradicts.
    """

    def __init__(
        self, folders: Sequence[str], config: Mapping[str, Any], rates: Callable[[], MetricCurve], total: int | None
    ) -> None:
        """Look at the names of the folders around a run, from the outermost in.

        Args:
            folders: These.
            config: What is configured.
            rates: Gives the learning rates that were logged.
            total: How many steps the run was to make; ``None`` where that is not known.
        """
        self.values: dict[str, float] = {}
        self._refuted: set[str] = set()
        notes: list[str] = []
        for folder in reversed(folders):
            taken = []
            for parameter, value in hyperparameters_in(folder).items():
                if parameter in self.values:
                    continue
                known = finite(stated(config, parameter))
                if parameter == "batch_size" and known and value != known and value % known == 0:
                    continue  # People name the effective batch, of which the configuration states a part.
                self.values[parameter] = value
                if known is None and stated(config, parameter) is None:
                    peak = (
                        refuting_peak(rates(), value, total, RATE_TOLERANCE) if parameter == "learning_rate" else None
                    )
                    if peak is None:
                        taken.append(parameter)
                        continue
                    said = f"the log reaches {_shown(peak)} at its highest, which counts"
                elif known is not None and not np.isclose(known, value, rtol=1e-6, atol=0.0):
                    said = f"the configuration says {_shown(known)}, which counts"
                else:
                    continue
                self._refuted.add(parameter)
                title = _TITLES.get(parameter, parameter)
                notes.append(f'The {_named(folder)} "{isolated(folder)}" says {title} {_shown(value)}; {said}.')
            if taken:
                *others, last = (_TITLES.get(parameter, parameter) for parameter in taken)
                subject = f"{', '.join(others)} and {last}" if others else last
                verb = "were" if others or last == "epochs" else "was"
                notes.append(
                    f'{subject[0].upper()}{subject[1:]} {verb} read from the {_named(folder)} "{isolated(folder)}".'
                )
        self.notes = tuple(notes)

    def value(self, parameter: str) -> float | None:
        """What a name states, unless configuration or log contradict it."""
        return None if parameter in self._refuted else self.values.get(parameter)


def _named(folder: str) -> str:
    """What the innermost of a run's folders is: a log that lies among others is a run by itself."""
    return "file name" if _FILE.search(folder) else "folder name"


def _shown(value: float) -> str:
    if not 0 < abs(value) < 1e-2:
        return f"{value:.6g}"
    digits, exponent = f"{value:.2e}".split("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(exponent)}"
