"""A secrets file that is there in some form and cannot be read is an error, never the demo."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit import config
from streamlit.runtime.secrets import Secrets

from lib.core.facts.errors import SettingsError
from lib.ui.session import deployment


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the one secrets file is looked for; nothing is there yet."""
    for name in [name for name in os.environ if name.startswith("RUNOFF_")]:
        monkeypatch.delenv(name)
    before = config.get_option("secrets.files")
    named = tmp_path / ".streamlit" / "secrets.toml"
    config.set_option("secrets.files", [str(named)])
    monkeypatch.setattr(deployment, "_SET_ASIDE", {})
    monkeypatch.setattr(st, "secrets", Secrets())
    yield named
    config.set_option("secrets.files", before)


def _folder(file: Path) -> None:
    file.mkdir(parents=True)


def _link(file: Path) -> None:
    file.parent.mkdir()
    file.symlink_to(file.parent / "gone.toml")


def _links(file: Path) -> None:
    """As a mounted secret of Kubernetes, the folder of which is gone."""
    _link(file)
    (file.parent / "gone.toml").symlink_to("..data/secrets.toml")


def _link_around(file: Path) -> None:
    file.parent.symlink_to(file.parent.parent / "gone")


def _link_to_a_folder(file: Path) -> None:
    file.parent.mkdir()
    file.symlink_to(file.parent)


def _pipe(file: Path) -> None:
    file.parent.mkdir()
    os.mkfifo(file)


def _file_around(file: Path) -> None:
    file.parent.write_text("")


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (_folder, "Is a directory"),
        (_link, "it is a link that leads nowhere"),
        (_links, "it is a link that leads nowhere"),
        (_link_around, "it is a link that leads nowhere"),
        (_link_to_a_folder, "Is a directory"),
        (_pipe, "it is a pipe"),
        (_file_around, "Not a directory"),
    ],
)
def test_what_stands_in_its_place_is_an_error(file: Path, make: Callable[[Path], None], found: str) -> None:
    make(file)
    deployment.set_aside_secrets()
    with pytest.raises(SettingsError) as raised:
        deployment.settings()
    assert str(raised.value) == f"Expected secrets.toml to be a file that can be read, found none ({found})."
    assert "remove it" in raised.value.hint


def test_one_that_may_not_be_read_is_an_error(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whoever runs the tests may be root, who may read everything.
    file.parent.mkdir()
    file.write_text("")

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(Path, "read_text", refuse)
    deployment.set_aside_secrets()
    with pytest.raises(SettingsError, match=r"found none \(Permission denied\)"):
        deployment.settings()


def _nothing(file: Path) -> None:
    pass


def _empty_folder_around(file: Path) -> None:
    file.parent.mkdir()


def _link_that_holds(file: Path) -> None:
    file.parent.mkdir()
    (file.parent / "there").write_text("")
    file.symlink_to("there")


def _nowhere(file: Path) -> None:
    """As somebody says that there shall be none."""
    file.parent.mkdir()
    file.symlink_to("/dev/null")


@pytest.mark.parametrize("make", [_nothing, _empty_folder_around, _link_that_holds, _nowhere])
def test_where_nothing_is_said_the_demo_is_shown(file: Path, make: Callable[[Path], None]) -> None:
    make(file)
    deployment.set_aside_secrets()
    found = deployment.settings()
    assert (found.runs, found.supabase, found.mlflow) == (None, None, None)
