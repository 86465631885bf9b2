"""The limits are said where they hold."""

from __future__ import annotations

import tomllib
from pathlib import Path

from lib.core.facts.limits import shown
from lib.data.upload import limits
from lib.data.upload.limits import FILE_MB, SAID

ROOT = Path(__file__).parents[3]


def test_the_readme_has_every_limit_with_its_reason():
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("### Upload")[2].partition("\n### ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    assert rows[2:] == [[limit.title, shown(limit), limit.reason] for limit in SAID]


def test_every_limit_is_said():
    named = {name: value for name, value in vars(limits).items() if isinstance(value, limits.Count)}
    assert named
    assert set(map(id, named.values())) == set(map(id, SAID))


def test_the_server_takes_no_larger_file_than_the_upload_does():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["maxUploadSize"] == FILE_MB
