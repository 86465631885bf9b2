"""The SQL that ``docs/policies.md`` gives to operators, as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "policies.md"
READING = "Read your own runs"
"""The heading whose statements every project needs."""


def headings() -> list[str]:
    """The headings that have statements below them, in their order."""
    return list(_blocks())


def statements(heading: str) -> str:
    """The statements below a heading."""
    return _blocks()[heading]


def _blocks() -> dict[str, str]:
    parts = re.split(r"^## (.+)$", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {
        heading: "\n".join(re.findall(r"^```sql\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
        for heading, text in zip(parts[1::2], parts[2::2], strict=True)
    }
    return {heading: sql for heading, sql in found.items() if sql}
