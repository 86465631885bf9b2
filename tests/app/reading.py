"""What is sent to the browser, read: pieces of HTML, Markdown, frames."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow as pa

from lib.core.curves.metric_curves import frame_of
from lib.ui.panels.grid import MARKS, NOTE, SEPARATOR, TEXTS, VALUES


def frame(data: bytes) -> pd.DataFrame:
    return pa.ipc.open_stream(io.BytesIO(data)).read_pandas()


class Blocks(HTMLParser):
    """The texts of a piece of HTML, by block."""

    BLOCKS = frozenset(("h2", "dt", "dd", "p", "li", "tr", "button"))

    def __init__(self, body: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._parts: list[str] = []
        self._is_style = False
        self.feed(body)
        self._end()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_style = tag == "style"
        named = dict(attrs)
        if tag in self.BLOCKS or named.get("role") == "row" or named.get("class") == "how-sure":
            self._end()
        elif tag in ("span", "td", "th"):
            self._parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._is_style = False
        if tag in self.BLOCKS:
            self._end()

    def handle_data(self, data: str) -> None:
        if not self._is_style:
            self._parts.append(data)

    def _end(self) -> None:
        text = " ".join("".join(self._parts).split())
        self.texts += [text] if text else []
        self._parts = []


def plain(text: str) -> str:
    """Markdown of ours as it reads, near enough to search in."""
    text = re.sub(r":(?:small|gray|\w+-badge)\[|(?<!\\)\]", "", text.replace(":small[]", ""))
    text = re.sub(r":material/\w+: ?", "", text)
    return re.sub(r"\\(.)", r"\1", text.replace("**", ""))


def table_sent(proto: Any) -> SimpleNamespace:
    """The summary table as its grid gets it: its arguments, and its rows by label."""
    (data,) = [each.arrow_dataframe.data.data for each in proto.special_args if each.key == "data"]
    arguments, rows = json.loads(proto.json_args), frame(data)
    for position, column in enumerate(arguments["gridOptions"]["columnDefs"]):
        key = column["colId"]
        for joined, suffix in ((VALUES, ""), (TEXTS, "_text"), (MARKS, "_mark")):
            rows[key + suffix] = [row.split(SEPARATOR)[position] for row in rows[joined]]
        if column["cellDataType"] == "number":
            rows[key] = pd.to_numeric(rows[key])
        if key + NOTE not in rows:
            rows[key + NOTE] = ""
    return SimpleNamespace(arguments=arguments, rows=rows.set_index("run", drop=False))


def definitions(app: Any) -> dict[str, dict]:
    """The definitions of the columns that the summary table has, by key."""
    return {each["colId"]: each for each in app.grid.arguments["gridOptions"]["columnDefs"]}


def options(app: Any) -> str:
    """All that is sent of the summary table beside its data, apart from the data's own hash."""
    return json.dumps({name: value for name, value in app.grid.arguments.items() if name != "data_hash"})


def rows_of(demo: SimpleNamespace, run_id: str, metric: str) -> pd.DataFrame:
    """What the source has of a metric of a run."""
    return frame_of(demo.source.load_curves([run_id], [metric]).values())
