"""Entering a package without what its ``__init__`` imports: a logger's own code, without the gigabytes below it.

The CSV loggers of Lightning and Keras ask the libraries that do the training for nothing but the names of types. So
their packages are entered by the back door, and modules whose names are empty types stand for those libraries.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Sequence


class Types(types.ModuleType):
    """A module whose every name is a type that nothing is of."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds types in place of a library that is not installed, and of all its modules.

    Attributes:
        library: What it is called.
    """

    def __init__(self, library: str) -> None:
        self.library = library

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        is_its = name == self.library or name.startswith(f"{self.library}.")
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if is_its else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Types:
        return Types(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        del module


def enter(package: str, *inner: str) -> None:
    """Make modules of a package and of packages in it importable, without running their ``__init__``."""
    (root,) = importlib.util.find_spec(package).submodule_search_locations
    for name in ("", *inner):
        entered = types.ModuleType(f"{package}{name}")
        entered.__path__ = [root + name.replace(".", "/")]
        sys.modules[entered.__name__] = entered
        if name:
            above, _, own = entered.__name__.rpartition(".")
            setattr(sys.modules[above], own, entered)
