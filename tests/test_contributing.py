"""What CONTRIBUTING names is there, and what is there is named."""

from __future__ import annotations

import re

import pytest

from lib.data.folder.reading import TRAINER
from lib.data.formats.registry import formats
from tests.test_layers import LAYERS, ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAP = TEXT.partition("## The map")[2].partition("\n## ")[0]
ROOMS = {name.replace(".", "/") for name in LAYERS if (ROOT / name.replace(".", "/")).is_dir()}
NAMED = {
    name
    for line in MAP.splitlines()
    if line.startswith("|")
    for name in re.findall(r"`([a-z/_.]+)`", line.split("|")[1])
}
RECIPES = ("metric", "table column", "check", "source", "run format", "link parameter", "sentence")


def test_the_map_comes_first_and_names_every_room() -> None:
    assert TEXT.startswith("# Contributing\n\n## The map\n")
    assert {room for room in ROOMS if room.rstrip("/") not in {name.rstrip("/") for name in NAMED}} == set()


def test_every_room_of_the_map_is_there() -> None:
    assert NAMED
    assert [name for name in NAMED if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("thing", RECIPES)
def test_it_says_how_to_add(thing) -> None:
    assert f"**A {thing}**" in TEXT.partition("## How to add")[2].partition("\n## ")[0]


def test_files_and_names_that_it_gives_are_there() -> None:
    paths = set(re.findall(r"`((?:lib|tests|bench|static|pages)/[\w/.-]+)`", TEXT))
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_constants_that_it_gives_are_there() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8") for place in ("lib", "tests") for path in (ROOT / place).rglob("*.py")
    )
    names = set(re.findall(r"`_?([A-Z][A-Z_]{3,})`", TEXT))
    assert names
    assert [name for name in names if not re.search(rf"\b_?{name}\b", code)] == []


def test_commands_that_it_gives_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^    make ([a-z-]+)", TEXT, re.M))
    assert targets == set(re.findall(r"^([a-z][a-z-]*):.*##", makefile, re.M)) - {"help", "clean", "format"}


def test_every_dependency_has_its_reason() -> None:
    table = TEXT.partition("## Dependencies")[2].partition("\n## ")[0]
    reasons = [line for line in table.splitlines() if line.startswith("| ")]
    named = {name.strip() for line in reasons for name in re.split(r"[,(]", line.split("|")[1])}
    pinned = {
        re.split(r"[=;\[]", line)[0].strip()
        for name in ("requirements.txt", "requirements-serve.txt", "requirements-dev.txt")
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("-r")
    }
    assert pinned - named == set()


def test_the_readme_names_every_format_and_what_is_read_of_it() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("| format | what is read |\n| --- | --- |\n")[2].partition("\n\n")[0]
    first, *rows = table.splitlines()
    assert first.startswith(f"| {TRAINER} |")
    assert rows == [f"| {each.title} | {each.reads} |" for each in formats()]
