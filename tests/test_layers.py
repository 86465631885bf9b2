"""Where a file lies decides what it may import."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Layer:
    """What the files of a package may import besides the standard library and what everybody may.

    Attributes:
        own: Packages and modules of ours; the package itself is always among them.
        foreign: Libraries.
    """

    own: frozenset[str]
    foreign: frozenset[str]


EVERYBODY = {"numpy", "pandas"}

CORE = {
    "facts": "",
    "text": "facts",
    "curves": "facts text",
    "config": "facts text",
    "gap": "facts text curves config",
    "noise": "facts text curves",
    "checks": "facts text curves config gap",
    "checkpoints": "facts text curves config",
    "aspects": "facts text curves config",
    "ranking": "facts text curves config gap noise checks aspects",
    "verdict": "facts text curves config gap noise checks checkpoints aspects ranking",
    "glance": "facts text gap noise checks checkpoints ranking verdict",
    "answers": "facts text curves config gap noise checks checkpoints aspects ranking verdict",
    "budget": "facts text curves config ranking verdict",
    "credit": "facts text config noise ranking verdict answers",
    "baseline": "facts text curves noise aspects ranking verdict",
}
"""The packages of ``lib/core``, from the ground up, and which of them each may import."""

CORE_FOREIGN = {"noise": "scipy.special"}
"""Libraries that a package of the core may import beside those of everybody. ``scipy.stats`` takes half a second."""


def layer(name: str, own: str, foreign: str = "") -> Layer:
    return Layer(frozenset({name, *own.split()}), frozenset(foreign.split()))


_SOURCES = "lib.data.source lib.data.tables"
LAYERS: dict[str, Layer] = {
    **{
        f"lib.core.{name}": layer(
            f"lib.core.{name}", " ".join(f"lib.core.{each}" for each in own.split()), CORE_FOREIGN.get(name, "")
        )
        for name, own in CORE.items()
    },
    "lib.data.source": layer("lib.data.source", "lib.core.facts lib.core.curves"),
    "lib.data.waiting": layer("lib.data.waiting", "lib.core.facts"),
    "lib.data.tables": layer("lib.data.tables", "lib.core.facts lib.core.curves", "pyarrow orjson"),
    "lib.data.demo": layer("lib.data.demo", f"lib.core.facts lib.core.curves {_SOURCES}", "pyarrow"),
    "lib.data.stated": layer("lib.data.stated", "lib.core.facts lib.core.curves"),
    "lib.data.formats.tables": layer(
        "lib.data.formats.tables",
        "lib.core.facts lib.data.formats.logged lib.data.formats.files lib.data.formats.csv_tables"
        " lib.data.formats.json_rows lib.data.formats.json_objects lib.data.formats.json_columns"
        " lib.data.formats.arrow_arrays",
        "pyarrow",
    ),
    "lib.data.formats.text": layer(
        "lib.data.formats.text", "lib.core.facts lib.data.formats.logged lib.data.formats.arrow_arrays", "pyarrow"
    ),
    "lib.data.formats.shown": layer("lib.data.formats.shown", "lib.data.formats.files"),
    "lib.data.formats.records": layer(
        "lib.data.formats.records",
        "lib.data.formats.files lib.data.formats.logged lib.data.formats.resumed lib.data.formats.arrow_arrays",
        "pyarrow google.protobuf",
    ),
    "lib.data.formats.readers": layer(
        "lib.data.formats.readers",
        "lib.core.facts lib.core.curves lib.data.formats",
        "pyarrow google.protobuf yaml orjson",
    ),
    "lib.data.formats.stores": layer(
        "lib.data.formats.stores", "lib.core.facts lib.data.formats.files lib.data.formats.logged", "pyarrow"
    ),
    "lib.data.formats.forms": layer(
        "lib.data.formats.forms",
        "lib.core.facts lib.core.curves lib.data.stated lib.data.formats.logged lib.data.formats.metric_names"
        " lib.data.formats.metric_words",
    ),
    "lib.data.formats": layer(
        "lib.data.formats", "lib.core.facts lib.core.curves lib.data.stated", "pyarrow google.protobuf yaml orjson"
    ),
    "lib.data.trainer": layer(
        "lib.data.trainer", "lib.core.facts lib.core.curves lib.data.stated lib.data.formats", "orjson"
    ),
    "lib.data.folder": layer(
        "lib.data.folder",
        f"lib.core.facts lib.core.curves lib.data.stated lib.data.trainer lib.data.formats lib.data.waiting {_SOURCES}",
        "orjson",
    ),
    "lib.data.folder.processes": layer(
        "lib.data.folder.processes",
        "lib.core.facts lib.core.curves lib.data.trainer lib.data.formats lib.data.folder.reading lib.data.folder.units"
        " lib.data.folder.scan lib.data.folder.checkpoints lib.data.folder.names",
    ),
    "lib.data.folder.memory": layer(
        "lib.data.folder.memory", "lib.core.facts lib.core.curves lib.data.folder.units lib.data.folder.collection"
    ),
    "lib.data.upload": layer(
        "lib.data.upload",
        "lib.core.facts lib.core.text lib.core.curves lib.data.source lib.data.folder lib.data.formats"
        " lib.data.trainer",
    ),
    "lib.data.joined": layer("lib.data.joined", "lib.core.facts lib.core.curves lib.data.source lib.data.upload"),
    "lib.data.supabase": layer(
        "lib.data.supabase",
        f"lib.core.facts lib.core.curves lib.data.sections lib.data.refusals lib.data.connections {_SOURCES}",
        "supabase_auth postgrest httpx cachetools pyarrow",
    ),
    "lib.data.sections": layer("lib.data.sections", "lib.core.facts"),
    "lib.data.refusals": layer("lib.data.refusals", "lib.core.facts", "httpx"),
    "lib.data.connections": layer("lib.data.connections", "", "httpx httpcore"),
    "lib.data.mlflow_server": layer(
        "lib.data.mlflow_server",
        f"lib.core.facts lib.core.curves lib.data.formats lib.data.sections lib.data.refusals lib.data.connections"
        f" {_SOURCES}",
        "httpx",
    ),
    "lib.data.settings": layer("lib.data.settings", "lib.core.facts lib.data lib.log.lines"),
    "lib.data.probe": layer("lib.data.probe", "lib.core.facts lib.data"),
    "lib.charts": layer(
        "lib.charts", "lib.core.facts lib.core.text lib.core.curves lib.core.budget", "altair vl_convert pyarrow"
    ),
    "lib.table": layer("lib.table", "lib.core"),
    "lib.importer": layer("lib.importer", "lib.core lib.data", "httpx postgrest"),
    "lib.report": layer("lib.report", "lib.core lib.charts", "vl_convert"),
    "lib.cli": layer("lib.cli", "lib.core lib.data lib.importer lib.report"),
    "lib.log.lines": layer("lib.log.lines", ""),
    "lib.log": layer("lib.log", "lib.core.facts lib.core.config"),
    "lib.serve": layer("lib.serve", "lib.log.lines"),
    "lib.gate": layer(
        "lib.gate",
        "lib.core.facts.errors lib.data.sections lib.data.upload.limits",
        "streamlit starlette google.protobuf uvicorn websockets",
    ),
    "lib.ui.session.link": layer("lib.ui.session.link", "lib.core"),
    "lib.ui.session": layer("lib.ui.session", "lib.core lib.data lib.charts lib.gate lib.log", "streamlit cachetools"),
    "lib.ui.uploads": layer("lib.ui.uploads", "lib.core lib.data lib.ui.session", "streamlit"),
    "lib.ui.frame": layer(
        "lib.ui.frame",
        "lib.core lib.data lib.gate lib.charts.palette lib.charts.theme lib.log lib.ui.session lib.ui.uploads",
        "streamlit",
    ),
    "lib.ui.tables": layer("lib.ui.tables", "lib.core lib.data lib.table lib.ui.session lib.ui.frame", "streamlit"),
    "lib.ui.panels": layer(
        "lib.ui.panels",
        "lib.core lib.data lib.charts lib.table lib.ui.session lib.ui.frame lib.ui.tables",
        "streamlit st_aggrid",
    ),
    "lib.ui.service": layer(
        "lib.ui.service", "lib.core.facts lib.data lib.gate lib.log lib.ui.session lib.ui.frame", "streamlit starlette"
    ),
    "lib.ui.charts": layer(
        "lib.ui.charts", "lib.core lib.data lib.charts lib.ui.session lib.ui.frame lib.ui.panels", "streamlit"
    ),
    "lib.ui.share": layer(
        "lib.ui.share", "lib.core lib.data lib.report lib.ui.session lib.ui.frame lib.ui.tables", "streamlit"
    ),
    "pages": layer("pages", "lib.core lib.charts lib.table lib.ui", "streamlit"),
    "streamlit_app": layer("streamlit_app", "lib.core lib.charts lib.gate lib.ui", "streamlit"),
}
"""What may import what. The first entry that a file lies in holds."""

MOST_MODULES, MOST_MODULE_LINES, MOST_PACKAGE_LINES = 18, 320, 2_800
"""A package or module that grows beyond this is cut along what it knows."""

NOT_IN_CORE = {"logging", "os", "time", "pathlib.Path", "subprocess", "socket", "urllib", "http", "shutil", "tempfile"}
"""The standard library's I/O, clock and logging. (Pure paths are arithmetic.)"""
STREAMLIT_CACHES = {"cache_data", "cache_resource", "caching", "experimental_memo", "experimental_singleton"}

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


def module_of(place: str) -> str:
    """The dotted name of a file."""
    return place.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def layer_of(place: str) -> str | None:
    """The name of the layer that a file lies in."""
    return next((name for name in LAYERS if within(module_of(place), {name})), None)


def forbidden(place: str, tree: ast.AST) -> set[str]:
    """The imports that the layer of ``place`` may not have."""
    rule = LAYERS[layer_of(place)]
    allowed = rule.own | rule.foreign | EVERYBODY | set(sys.stdlib_module_names)
    return {name for name in imported(tree) if not within(name, allowed)}


def attributes_of(tree: ast.AST) -> set[str]:
    """Every dotted name, as ``st.cache_data``, written out in the file."""
    return {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


MARKERS = {"lib/__init__.py", "lib/core/__init__.py", "lib/data/__init__.py", "lib/ui/__init__.py"}
"""Packages of packages hold a docstring only, and belong to no layer."""
IN_LAYERS = [path for path in APP_FILES if place_of(path) not in MARKERS]
PACKAGES = sorted({path.parent for path in APP_FILES if path.name == "__init__.py"})


@every(IN_LAYERS)
def test_a_file_imports_only_what_its_layer_may(path) -> None:
    assert forbidden(place_of(path), parsed(path)) == set()


@pytest.mark.parametrize(
    ("place", "source", "found"),
    [
        ("lib/core/facts/x.py", "import streamlit as st", {"streamlit"}),
        ("lib/core/verdict/x.py", "def f():\n    from lib.data.source import RunSource", {"lib.data.source.RunSource"}),
        ("lib/core/facts/x.py", "from lib import data", {"lib.data"}),
        ("lib/core/facts/x.py", "from lib.core.facts_other import f", {"lib.core.facts_other.f"}),
        ("lib/core/text/x.py", "from lib.core import config", {"lib.core.config"}),
        ("lib/data/folder/x.py", "from lib.data import supabase", {"lib.data.supabase"}),
        ("lib/data/source.py", "import lib.data.settings", {"lib.data.settings"}),
        ("lib/charts/x.py", "import lib.ui.frame.shell", {"lib.ui.frame.shell"}),
        ("lib/table/x.py", "import lib.charts.palette", {"lib.charts.palette"}),
        ("lib/core/verdict/x.py", "import lib.table.cells", {"lib.table.cells"}),
        ("lib/data/folder/x.py", "import altair", {"altair"}),
        ("lib/ui/panels/x.py", "import altair, supabase", {"altair", "supabase"}),
        ("lib/ui/session/x.py", "import lib.ui.frame.shell", {"lib.ui.frame.shell"}),
        ("lib/cli/x.py", "import streamlit\nfrom lib.ui.session import url", {"streamlit", "lib.ui.session.url"}),
        ("pages/x.py", "from lib.data.source import RunSource", {"lib.data.source.RunSource"}),
        ("streamlit_app.py", "import lib.data", {"lib.data"}),
        ("pages/x.py", "import tests.conftest", {"tests.conftest"}),
        ("lib/core/text/x.py", "import math, numpy.random\nfrom lib.core.facts import runs", set()),
        ("lib/data/demo/x.py", "import pyarrow.parquet", set()),
    ],
)
def test_the_rule_sees_an_import_wherever_it_stands(place, source, found) -> None:
    assert forbidden(place, ast.parse(source)) == found


@pytest.mark.parametrize(
    ("imported", "importing"),
    [(low, high) for low, high in product(CORE, CORE) if low != high and low not in CORE[high].split()],
)
def test_an_import_against_the_table_is_found_in_every_package_of_the_core(imported, importing) -> None:
    planted = ast.parse(f"def f():\n    from lib.core.{imported}.x import y")
    assert forbidden(f"lib/core/{importing}/x.py", planted) == {f"lib.core.{imported}.x.y"}


def test_the_table_names_the_packages_that_exist() -> None:
    folders = {path.name for path in (ROOT / "lib" / "core").iterdir() if (path / "__init__.py").exists()}
    assert set(CORE) == folders
    named = {name for name in LAYERS if (ROOT / name.replace(".", "/")).is_dir()} - {"pages"}
    assert named == {module_of(place_of(path / "__init__.py")) for path in PACKAGES} - {
        module_of(marker) for marker in MARKERS
    }


@pytest.mark.parametrize("package", PACKAGES, ids=place_of)
def test_a_package_says_what_it_knows_and_can_be_overlooked(package) -> None:
    marker = parsed(package / "__init__.py")
    assert len((ast.get_docstring(marker) or "").splitlines()) == 1
    modules = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in package.glob("*.py")}
    assert len(modules) - 1 <= MOST_MODULES
    assert {place_of(path): lines for path, lines in modules.items() if lines > MOST_MODULE_LINES} == {}
    assert sum(modules.values()) <= MOST_PACKAGE_LINES


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


def streamlit_caches(tree: ast.AST) -> set[str]:
    """What a file uses of Streamlit's caches, whatever it calls Streamlit."""
    return {name for name in attributes_of(tree) | imported(tree) if STREAMLIT_CACHES & set(name.split("."))}


@every(APP_FILES)
def test_nothing_is_kept_in_streamlits_caches(path) -> None:
    # Any visitor's browser can empty them, for everybody, with one message.
    assert streamlit_caches(parsed(path)) == set()


@pytest.mark.parametrize(
    "source",
    [
        "import streamlit as st\n@st.cache_data(ttl=1)\ndef f(): ...",
        "import streamlit\nstreamlit.cache_resource.clear()",
        "import streamlit as s\nf = s.experimental_memo(f)",
        "from streamlit import cache_data as remember",
        "from streamlit.runtime.caching import cache_resource",
    ],
)
def test_a_planted_cache_of_streamlit_is_seen(source) -> None:
    assert streamlit_caches(ast.parse(source))


def test_a_module_is_named_for_its_subject() -> None:
    nameless = {"util.py", "utils.py", "helper.py", "helpers.py", "misc.py", "common.py"}
    assert [place_of(path) for path in FILES if path.name in nameless] == []


def test_every_file_of_the_app_lies_in_a_layer() -> None:
    assert IN_LAYERS
    assert [place_of(path) for path in IN_LAYERS if layer_of(place_of(path)) is None] == []
