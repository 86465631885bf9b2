"""What the cells of a notebook put out, as text: lines that were printed, and tables with tabs between their cells."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

_ROW = re.compile(r"<tr\b[^<>]*>(.*?)(?=<tr\b|</table|$)", re.I | re.S)
_CELL = re.compile(r"<t[hd]\b[^<>]*>(.*?)(?=<t[hd]\b|</t[hdr]|</tbody|</thead|$)", re.I | re.S)
_TAG = re.compile(r"<[^<>]{0,200}>")
_NO_CHARACTER = re.compile(r"&#[0-9]{8,}+;?")
"""No character has such a number, and Python refuses to read one of thousands of digits."""


class NoNotebook(Exception):
    """Why a file is no notebook, in one sentence for people."""


def outputs_of(content: bytes) -> tuple[str, str]:
    """What a notebook shows below its cells.

    Returns:
        Its tables, a line for each row; and what was printed.

    Raises:
        NoNotebook: If it is none.
    """
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NoNotebook("Expected a notebook: the file is no JSON, or was cut off.") from error
    cells = found.get("cells") if isinstance(found, dict) else None
    if not isinstance(cells, list):
        raise NoNotebook("Expected a notebook with cells, found other JSON.")
    tables: list[str] = []
    printed: list[str] = []
    for output in _outputs(cells):
        data = output.get("data")
        if isinstance(data, dict) and (shown := _joined(data.get("text/html"))):
            tables += [*_rows(shown), ""]
        elif output.get("output_type") == "stream":
            printed.append(_joined(output.get("text")))
    return "\n".join(tables), "".join(printed)


def _outputs(cells: list[Any]) -> Iterator[dict[str, Any]]:
    for cell in cells:
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        for output in outputs if isinstance(outputs, list) else ():
            if isinstance(output, dict):
                yield output


def _joined(text: Any) -> str:
    if isinstance(text, list):
        return "".join(each for each in text if isinstance(each, str))
    return text if isinstance(text, str) else ""


def _rows(shown: str) -> Iterator[str]:
    for row in _ROW.findall(shown):
        plain = (_NO_CHARACTER.sub("\ufffd", _TAG.sub("", cell)) for cell in _CELL.findall(row))
        cells = (html.unescape(cell).strip() for cell in plain)
        # An empty cell would be no cell between tabs.
        yield "\t".join(" ".join(cell.split()) or "-" for cell in cells)
