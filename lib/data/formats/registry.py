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
    found = [
        importlib.import_module(f"{readers.__name__}.{module.name}").FORMAT
        for module in pkgutil.iter_modules(readers.__path__)
    ]
    return tuple(sorted(found, key=lambda each: (each.is_general, each.title)))
