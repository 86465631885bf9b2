"""The formats that are read, found by listing the readers."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from lib.data.formats import readers
from lib.data.formats.logged import Format


@cache
def formats() -> tuple[Format, ...]:
    """All of them, those that go by the names of files first."""
    found = [_format_in(f"{readers.__name__}.{module.name}") for module in pkgutil.iter_modules(readers.__path__)]
    return tuple(sorted(found, key=lambda each: (each.is_general, each.title)))


def module_of(format: Format) -> str:
    """Names a format for a process that needs no other: to load all of them takes longer than most logs."""
    return type(format).__module__


def format_of(module: str) -> Format | None:
    """The format that ``module_of`` named; ``None`` where that is none of the readers."""
    if module.rpartition(".")[0] != readers.__name__:
        return None
    return _format_in(module)


def _format_in(module: str) -> Format:
    found: Format = importlib.import_module(module).FORMAT
    return found
