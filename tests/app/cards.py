"""What the pages beside the main one say in HTML: headings, texts, and tables as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser

VOID = {"img", "br", "col", "input"}


class Cards(HTMLParser):
    """Attributes:
    headings: The second and third level, in order.
    tables: The cells of each, row by row; of a cell only what a wide window shows.
    small: The same for what stands in small letters in the cells.
    odd: The texts of the cells that are shaded.
    runs: The slots of what stands for a run.
    texts: All that is said, in order.
    """

    def __init__(self, bodies: Sequence[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.headings: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.small: list[list[list[str]]] = []
        self.odd: list[str] = []
        self.runs: list[str] = []
        self.texts: list[str] = []
        self._open: list[tuple[str, str]] = []
        for body in bodies:
            self.feed(body)
        self.close()
        self.tables, self.small = (
            [[[cell.strip() for cell in row] for row in table] for table in tables]
            for tables in (self.tables, self.small)
        )

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if "data-run" in said:
            self.runs.append(said["data-run"])
        if tag in VOID:
            self.texts += [said["alt"]] if said.get("alt") else []
            return
        self._open.append((tag, said.get("class", "") + (" copied" if "data-copied" in said else "")))
        if tag == "table":
            self.tables.append([])
            self.small.append([])
        elif tag == "tr":
            self.tables[-1].append([])
            self.small[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self.small[-1][-1].append("")
        elif tag in ("h2", "h3"):
            self.headings.append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tags = {tag for tag, _ in self._open}
        classes = {name for _, names in self._open for name in names.split()}
        if {"style", "script"} & tags or {"who", "copied"} & classes:
            return
        if {"td", "th"} & tags and self.tables:
            where = self.small if "put-in" in classes else self.tables
            where[-1][-1][-1] += data
            if "odd" in classes:
                self.odd.append(data)
        if {"h2", "h3"} & tags:
            self.headings[-1] += data
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All that is said."""
        return "".join(self.texts)

    def table(self, *heads: str) -> dict[str, list[str]]:
        """The rows of the first table whose header begins so, by their first cell."""
        return {row[0]: row[1:] for row in self.rows(*heads)}

    def rows(self, *heads: str) -> list[list[str]]:
        """The rows of the first table whose header begins so."""
        return next(each for each in self.tables if each and tuple(each[0][: len(heads)]) == heads)[1:]
