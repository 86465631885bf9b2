"""Errors on a page are found in the log by their ids, wherever they are worded."""

from __future__ import annotations

import re
from pathlib import Path

from lib.core.facts.errors import SourceUnavailable
from lib.ui.frame import error_ids

ROOT = Path(__file__).parents[3]
WORDED = re.compile(r"(?:md|escape)\(str\((?:error|failed|\w+\.error)\)\)")


def test_each_error_is_named_once_and_logged_once(caplog):
    one, other = SourceUnavailable("one"), SourceUnavailable("other")
    assert re.fullmatch(r"Error id [0-9a-f]{8}", error_ids.said(one))
    both = error_ids.said(one, other, one)
    assert re.fullmatch(r"Error ids [0-9a-f]{8}, [0-9a-f]{8}", both)
    assert error_ids.shown(one, other) == f":small[{both}]"
    assert [record.getMessage() for record in caplog.records] == ["one", "other"]


def test_a_module_that_shows_an_error_shows_its_id():
    modules = [file for file in ROOT.glob("lib/ui/**/*.py") if WORDED.search(file.read_text(encoding="utf-8"))]
    assert {"messages.py", "live.py", "refreshing.py"} <= {file.name for file in modules}
    assert [file.name for file in modules if "error_ids.shown" not in file.read_text(encoding="utf-8")] == []
