"""All that a page sends and offers, as text to search in."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lib.ui.panels.grid import NOTE
from tests.app.harness import App


def sent(app: App) -> str:
    """Every element of the page as it goes to the browser, what the charts are drawn from, and the address."""
    parts = [*map(_text, _protos(app.at._tree)), json.dumps(app.link, ensure_ascii=False)]
    parts += [json.dumps(part.head, ensure_ascii=False, default=str) for part in app.sent]
    return "\n".join(parts)


def _protos(node: Any) -> Iterator[Any]:
    children = getattr(node, "children", None)
    proto = getattr(node, "proto", None)
    if proto is not None:
        yield proto
    for child in (children or {}).values():
        yield from _protos(child)


def _text(proto: Any) -> str:
    data = proto.SerializeToString() if hasattr(proto, "SerializeToString") else str(proto).encode()
    written: str = data.decode("utf-8", "replace")
    # JSON inside of it writes letters beyond ASCII, and slashes of our own HTML, in its own way.
    return written + "\n" + written.replace("\\/", "/").replace('\\"', '"')


def offered(files: Mapping[str, Any]) -> str:
    """The content of the files that a page offers."""

    def content(data: Callable[[], Any] | Any) -> str:
        made = data() if callable(data) else data
        return made.decode("utf-8", "replace") if isinstance(made, bytes) else str(made)

    return "\n".join(content(data) for data in files.values())


def texts(app: App) -> Iterator[str]:
    """The texts that a page shows, each by itself: without keys, addresses and the data of scripts."""
    yield from (text for proto in _protos(app.at._tree) for text in _fields(proto))
    for part in app.sent:
        yield from _leaves({name: value for name, value in part.head.items() if name not in KEYS})
    if app.lines:
        yield from _leaves(app.runs)
    if app.grid is not None:
        for column in app.grid.arguments["gridOptions"]["columnDefs"]:
            yield from (column.get("headerName", ""), column.get("headerTooltip", ""))
        shown = [name for name in app.grid.rows.columns if name.endswith(("_text", NOTE))]
        yield from (str(text) for name in shown for text in app.grid.rows[name])


KEYS = frozenset(("key", "keys", "id", "basis", "metrics", "metric", "main", "health", "values", "search"))
"""Names of what only programs read in JSON that is sent."""
_DATA = re.compile(r'\s(?:data-[a-z-]+|href)="[^"]*"')


def _fields(proto: Any) -> Iterator[str]:
    if not hasattr(proto, "ListFields"):
        return
    for field, value in proto.ListFields():
        if field.name in ("id", "json_args", "form_id", "query_string", "url", "js", "css", "user_key"):
            continue
        for each in value if field.is_repeated else (value,):
            if isinstance(each, str):
                yield html.unescape(_DATA.sub("", each)) if field.name == "body" else each
            else:
                yield from _fields(each)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for name, each in value.items() if name not in KEYS for text in _leaves(each))
    elif isinstance(value, list | tuple):
        yield from (text for each in value for text in _leaves(each))
