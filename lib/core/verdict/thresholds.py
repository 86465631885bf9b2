"""The numbers that decide what is said about runs, each with its reason, read from the modules that use them."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from numbers import Real
from types import MappingProxyType, ModuleType

from lib.core.checks import (
    health_checks,
    health_loss,
    health_reporting,
    health_resources,
    health_spikes,
    passport_check,
    passport_curves,
    passport_job,
    passport_rows,
    passport_times,
    stability,
)
from lib.core.curves import robust as health_levels
from lib.core.curves import series, train_window
from lib.core.facts import liveness
from lib.core.gap import negative_gap, overfitting
from lib.core.ranking import eval_noise, tie
from lib.core.verdict import checkpoints, objections, reasons, sureness

SECTIONS: Mapping[str, tuple[ModuleType, ...]] = MappingProxyType(
    {
        "Winner or tie": (tie, eval_noise),
        "Objections and sureness": (objections, sureness, reasons, checkpoints),
        "Run health": (health_checks, health_levels, health_spikes, health_loss, health_resources, health_reporting),
        "Silence of a running run": (liveness,),
        "Stability": (stability,),
        "Overfitting at matched steps": (overfitting, train_window, negative_gap),
        "Data passport": (passport_check, passport_rows, passport_curves, passport_job, passport_times),
        "Curves and repeated evaluations": (series,),
    }
)
"""The modules whose thresholds are printed, by the heading that they stand under."""

_WORDS = {"MAD": "MAD", "MADS": "MADs", "SD": "SD", "SDS": "SDs", "LORA": "LoRA", "S": ""}
"""How a word of a constant's name is written, where it is not an ordinary one."""
_REFERENCE = re.compile(r"``([^`]+)``")


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number that decides what is said.

    Attributes:
        name: Of the constant.
        value: A number, or several.
        reason: What it means and why it is so, for people.
    """

    name: str
    value: float | tuple[float, ...]
    reason: str

    @property
    def title(self) -> str:
        """The name for people."""
        words = _readable(self.name)
        return words[:1].upper() + words[1:]

    @property
    def shown(self) -> str:
        """The value as text."""
        values = self.value if isinstance(self.value, tuple) else (self.value,)
        return " / ".join(f"{value:,.12g}" for value in values)


@cache
def thresholds_of(module: ModuleType) -> tuple[Threshold, ...]:
    """The thresholds of a module: its public constants that are numbers and have a reason written under them.

    Names that are imported from another module, and so are given their reason there, are left out.
    """
    body = ast.parse(inspect.getsource(module)).body
    found = []
    for statement, below in pairwise(body):
        name, reason = _constant(statement), _text(below)
        if name is None or reason is None:
            continue
        value = getattr(module, name)
        if _is_number(value) or (isinstance(value, tuple) and value and all(map(_is_number, value))):
            found.append(Threshold(name, value, _for_people(reason)))
    return tuple(found)


def every_threshold() -> dict[str, tuple[Threshold, ...]]:
    """All thresholds by heading, in the order of the modules."""
    return {
        heading: tuple(threshold for module in modules for threshold in thresholds_of(module))
        for heading, modules in SECTIONS.items()
    }


def _constant(statement: ast.stmt) -> str | None:
    """The public constant that a statement defines."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    else:
        return None
    is_constant = isinstance(target, ast.Name) and target.id.isupper() and not target.id.startswith("_")
    return target.id if is_constant else None


def _text(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return statement.value.value if isinstance(statement.value.value, str) else None
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _for_people(reason: str) -> str:
    folded = " ".join(reason.split())
    return _REFERENCE.sub(lambda found: f'"{_readable(found[1])}"' if found[1].isupper() else found[1], folded)


def _readable(name: str) -> str:
    words = [_WORDS.get(word, word.lower()) for word in name.split("_")]
    return " ".join(filter(None, words)) + (" (seconds)" if name.endswith("_S") else "")
