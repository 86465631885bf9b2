"""Fixtures of the tests of the command line."""

from __future__ import annotations

import json

import pytest

from lib.cli.__main__ import main


@pytest.fixture
def verdict(tmp_path, capsys):
    """Ask for the verdict on all runs that were written; gives the exit code and the data, or the text."""

    def ask(*arguments, text=False):
        code = main(["verdict", str(tmp_path), *arguments, *([] if text else ["--json"])])
        printed = capsys.readouterr().out
        return code, printed if text else json.loads(printed)

    return ask
