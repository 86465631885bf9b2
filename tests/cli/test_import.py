from __future__ import annotations

import pytest

from lib.cli.__main__ import main
from tests.app.harness import write_run


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in ("URL", "KEY", "USER", "EMAIL", "PASSWORD"):
        monkeypatch.delenv(f"RUNOFF_IMPORT_{name}", raising=False)
    monkeypatch.setenv("RUNOFF_CACHE", "")


def test_without_a_project_nothing_is_read(tmp_path, capsys):
    write_run(tmp_path / "a", [2.0, 1.0, 0.5], [1.5, 0.9, 1.1])
    assert main(["import", str(tmp_path)]) == 2
    printed, errors = capsys.readouterr()
    assert printed == ""
    assert "RUNOFF_IMPORT_URL" in errors


@pytest.fixture
def project(monkeypatch):
    """A project that is not there: what is wrong with the folder is said before it is asked."""
    monkeypatch.setenv("RUNOFF_IMPORT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("RUNOFF_IMPORT_KEY", "sb_secret_planted")
    monkeypatch.setenv("RUNOFF_IMPORT_USER", "a0000000-0000-4000-8000-00000000000a")
    monkeypatch.setenv("RUNOFF_IMPORT_TIMEOUT_S", "1")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["empty"], "Expected at least one run, found none."),
        (["runs", "--run", "b"], "Expected one run called b, found none."),
        (["nowhere"], "nowhere"),
        (["runs"], "could not be reached"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, capsys, project, arguments, said):
    (tmp_path / "empty").mkdir()
    write_run(tmp_path / "runs" / "a", [2.0, 1.0, 0.5], [1.5, 0.9, 1.1])
    folder, *others = arguments
    assert main(["import", str(tmp_path / folder), "--write", *others]) == 2
    printed, errors = capsys.readouterr()
    assert said in errors
    assert "planted" not in printed + errors
