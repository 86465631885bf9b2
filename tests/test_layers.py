"""Where a file lies decides what it may import."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Layer:
    """What the files of a layer may import besides the standard library and what everybody may."""

    own: frozenset[str]
    foreign: frozenset[str]


def layer(own: str, foreign: str) -> Layer:
    return Layer(frozenset(own.split()), frozenset(foreign.split()))


EVERYBODY = {"numpy", "pandas"}
LAYERS = {
    "lib/core/": layer("lib.core", ""),
    "lib/data/": layer("lib.core lib.data", "pyarrow supabase_auth postgrest httpx cachetools"),
    "lib/charts/": layer("lib.core lib.charts", "altair pyarrow vl_convert"),
    "lib/ui/": layer("lib.core lib.data lib.charts lib.ui", "streamlit st_aggrid cachetools"),
    "pages/": layer("lib.core lib.charts lib.ui", "streamlit"),
    "streamlit_app.py": layer("lib.core lib.charts lib.ui", "streamlit"),
}
NOT_IN_CORE = {"logging", "os", "time", "pathlib.Path", "subprocess", "socket", "urllib", "http", "shutil", "tempfile"}
"""The standard library's I/O, clock and logging. (Pure paths are arithmetic.)"""
CACHED = "lib/ui/cached.py"
"""The one file with Streamlit's caches: they separate readers by their arguments, which one can check in one place."""

APP_FILES = sorted(path for place in ("streamlit_app.py", "pages/**/*.py", "lib/**/*.py") for path in ROOT.glob(place))
FILES = sorted({*APP_FILES, *ROOT.glob("tests/**/*.py"), *ROOT.glob("bench/**/*.py")})


def place_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def every(files):
    return pytest.mark.parametrize("path", files, ids=place_of)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(tree: ast.AST) -> set[str]:
    """Every module or name that is imported anywhere in the file, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(name: str, packages) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def forbidden(place: str, tree: ast.AST) -> set[str]:
    """The imports that the layer of ``place`` may not have."""
    rule = next(rule for start, rule in LAYERS.items() if place.startswith(start))
    allowed = rule.own | rule.foreign | EVERYBODY | set(sys.stdlib_module_names)
    return {name for name in imported(tree) if not within(name, allowed)}


def attributes_of(tree: ast.AST) -> set[str]:
    """Every dotted name, as ``st.cache_data``, written out in the file."""
    return {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


# The package markers hold a docstring only, and belong to no layer above.
IN_LAYERS = [path for path in APP_FILES if place_of(path) != "lib/__init__.py"]


@every(IN_LAYERS)
def test_a_file_imports_only_what_its_layer_may(path) -> None:
    assert forbidden(place_of(path), parsed(path)) == set()


@pytest.mark.parametrize(
    ("place", "source", "found"),
    [
        ("lib/core/x.py", "import streamlit as st", {"streamlit"}),
        ("lib/core/x.py", "def f():\n    from lib.data.source import RunSource", {"lib.data.source.RunSource"}),
        ("lib/core/x.py", "from lib import data", {"lib.data"}),
        ("lib/core/x.py", "from lib.core_other import f", {"lib.core_other.f"}),
        ("lib/charts/x.py", "import lib.ui.shell", {"lib.ui.shell"}),
        ("lib/data/x.py", "import altair", {"altair"}),
        ("lib/ui/x.py", "import altair, supabase", {"altair", "supabase"}),
        ("pages/x.py", "from lib.data.source import RunSource", {"lib.data.source.RunSource"}),
        ("streamlit_app.py", "import lib.data", {"lib.data"}),
        ("pages/x.py", "import tests.conftest", {"tests.conftest"}),
        ("lib/core/x.py", "import math, numpy.random\nfrom lib.core import runs", set()),
        ("lib/data/x.py", "import pyarrow.parquet", set()),
    ],
)
def test_the_rule_sees_an_import_wherever_it_stands(place, source, found) -> None:
    assert forbidden(place, ast.parse(source)) == found


@every(FILES)
def test_imports_are_absolute(path) -> None:
    relative = [node.lineno for node in ast.walk(parsed(path)) if isinstance(node, ast.ImportFrom) and node.level]
    assert relative == []


@every(APP_FILES)
def test_the_app_imports_nothing_of_the_tests(path) -> None:
    assert not [name for name in imported(parsed(path)) if within(name, {"tests"})]


@every([path for path in APP_FILES if place_of(path).startswith("lib/core/")])
def test_the_core_has_no_files_no_clock_and_no_log(path) -> None:
    tree = parsed(path)
    assert not {name for name in imported(tree) if within(name, NOT_IN_CORE)}
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    clock = {name for name in calls if name.split(".")[-1] in {"now", "utcnow", "today"}}
    reads = {name for name in calls if name in {"open", "print", "input"} or name.startswith("pd.read_")}
    assert clock | reads == set()


@every([path for path in APP_FILES if place_of(path) != CACHED])
def test_streamlit_caches_only_in_the_one_file_for_it(path) -> None:
    tree = parsed(path)
    written = {name for name in attributes_of(tree) if name.split(".")[0] in {"st", "streamlit"}}
    written |= {name for name in imported(tree) if within(name, {"streamlit"})}
    assert not {name for name in written if any(part.startswith("cache_") for part in name.split("."))}


def test_a_module_is_named_for_its_subject() -> None:
    nameless = {"util.py", "utils.py", "helper.py", "helpers.py", "misc.py", "common.py"}
    assert [place_of(path) for path in FILES if path.name in nameless] == []


def test_every_file_of_the_app_lies_in_a_layer() -> None:
    assert IN_LAYERS
    assert [place_of(path) for path in IN_LAYERS if not place_of(path).startswith(tuple(LAYERS))] == []
