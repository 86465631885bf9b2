"""All that a page sends and offers, as text to search in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

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
