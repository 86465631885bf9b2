"""Names of every script in a terminal."""

from __future__ import annotations

import io
import sys

import pytest

from lib.cli.__main__ import main
from lib.cli.columns import cells
from tests.app.harness import write_run

CHINESE, HEBREW, PARTED = "\u5ba2\u670d\u52a9\u624b", "\u05e0\u05d9\u05e1\u05d5\u05d9", "cafe\u0301"


@pytest.fixture
def outputs(tmp_path):
    for number, name in enumerate((CHINESE, HEBREW, PARTED, "plain")):
        write_run(tmp_path / name, [2.0, 1.0, 0.5 + number], [1.5, 0.9, 1.1 + number])
    return tmp_path


@pytest.mark.parametrize("command", ["runs", "verdict"])
def test_columns_stand_below_each_other(outputs, capsys, command):
    main([command, str(outputs)])
    lines = capsys.readouterr().out.splitlines()
    head = next(at for at, line in enumerate(lines) if line.startswith("Run "))
    table = lines[head : head + 5]
    ends = {cells(line[: line.index(number) + len(number)]) for line in table[1:] for number in [_number(line)]}
    assert len(ends) == 1, table


def _number(line: str) -> str:
    return next(word for word in line.split() if word.replace(".", "").isdigit())


@pytest.mark.parametrize("name", [CHINESE, HEBREW, PARTED])
def test_a_run_is_named_as_its_folder_is(outputs, capsys, name):
    main(["verdict", str(outputs), "--run", name, "--run", "plain"])
    printed = capsys.readouterr()
    assert name in printed.out
    assert not printed.err


def test_an_encoding_without_the_letters_of_a_name_says_which_they_were(outputs, monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin-1", errors="strict"))
    assert main(["runs", str(outputs)]) == 0
    sys.stdout.flush()
    assert b"\\u5ba2\\u670d" in written.getvalue()
