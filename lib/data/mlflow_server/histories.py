"""All values of the metrics of a run: read in pages, and read on from the last page where a run has grown.

A history comes by time, then by step and value. So what is new stands at its end, in the page that was the last one or
behind it. Where the last page no longer begins as it did, something was written in between, and all is read anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np

from lib.core.facts.errors import SourceUnavailable
from lib.core.facts.values import number
from lib.data.formats.stores.mlflow import with_infinities
from lib.data.formats.stores.points import MOST_STEP, Points
from lib.data.mlflow_server.client import Server
from lib.data.mlflow_server.errors import TooSlow
from lib.data.refusals import incomplete

PAGE = 10_000
"""Values in an answer. A server gives up to 25,000, which takes it seconds, and much longer when it is busy."""
GROWING_PAGE = 5_000
"""The same for a run that goes on: its last page is read again and again."""
LESS = 4
"""Where no answer comes in time, a page with so many times fewer values is asked for."""
LEAST_PAGE = 500
MOST_PAGES = 10_000
"""Of one metric; a server that always names another page has no end."""

_COLUMNS = itemgetter("step", "timestamp", "value")

Count = Callable[[int], None]
"""Is told of each page how many values it had; less than none where these are read again."""


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """The values of one metric, in the server's order.

    Attributes:
        points: With times in Unix seconds; steps may be negative.
        mark: What the server told of the metric's latest value, before they were read (``Found.marks``).
        page: The token that the last page was asked with; "" for the first page.
        size: How many values were asked for at once.
        before: How many values stand before the last page.
        left_out: How many entries of all pages are no values.
    """

    points: Points
    mark: str
    page: str
    size: int
    before: int
    left_out: int = 0


def read_history(server: Server, run_id: str, metric: str, mark: str, size: int, told: Count) -> History:
    """Read all values of a metric.

    Args:
        server: Where.
        run_id: Of which run.
        metric: Its name.
        mark: As ``History.mark``.
        size: How many values to ask for at once, ``PAGE`` or fewer.
        told: Is told how far it is.

    Raises:
        AppError: If they cannot be read.
    """
    while size > LEAST_PAGE:
        counted = [0]

        def count(values: int, counted: list[int] = counted) -> None:
            counted[0] += values
            told(values)

        try:
            return _read_on(server, run_id, metric, History(_NONE, mark, "", size, 0), count, patient=False)
        except TooSlow:
            told(-counted[0])
            size = max(size // LESS, LEAST_PAGE)
    return _read_on(server, run_id, metric, History(_NONE, mark, "", size, 0), told)


def grown_history(server: Server, run_id: str, metric: str, held: History, mark: str, told: Count) -> History:
    """Read what is new of a metric, and what is not if that is needed; as ``read_history``."""
    kept = Points(*(column[: held.before] for column in _columns(held.points)))
    begun = History(kept, mark, held.page, held.size, held.before)
    try:
        found = _read_on(server, run_id, metric, begun, told, patient=False)
    except TooSlow:
        return read_history(server, run_id, metric, mark, max(held.size // LESS, LEAST_PAGE), told)
    last = len(held.points) - held.before
    again = [column[held.before :][:last] for column in _columns(found.points)]
    same = all(
        np.array_equal(old[held.before :], new, equal_nan=True)
        for old, new in zip(_columns(held.points), again, strict=True)
    )
    # Entries that are no values have a place in pages, but none among the values.
    if same and not held.left_out and not found.left_out:
        return found
    return read_history(server, run_id, metric, mark, held.size, told)


def _read_on(server: Server, run_id: str, metric: str, begun: History, told: Count, *, patient: bool = True) -> History:
    parts, token = [begun.points], begun.page
    before, left_out = begun.before, begun.left_out
    seen = {token}
    while True:
        asked: list[tuple[str, str | int]] = [("run_id", run_id), ("metric_key", metric), ("max_results", begun.size)]
        if token:
            asked.append(("page_token", token))
        answer = server.get("metrics/get-history", asked, patient=patient)
        listed = answer.get("metrics", [])
        if not isinstance(listed, list):
            raise incomplete(server.settings.host).error
        points, bad = _points(listed)
        parts.append(points)
        left_out += bad
        told(len(points))
        following = answer.get("next_page_token")
        if not isinstance(following, str) or not following:
            break
        if following in seen or len(seen) >= MOST_PAGES:
            raise SourceUnavailable(
                f"Expected pages of a metric from {server.settings.host}, got the same page again and again.",
                hint="Something between this app and the server may keep old answers: try again, or ask who runs it.",
            )
        before += len(points)
        seen.add(following)
        token = following
    points = Points(*(np.concatenate(columns) for columns in zip(*map(_columns, parts), strict=True)))
    return History(points, begun.mark, token, begun.size, before, left_out)


def _points(listed: Sequence[Any]) -> tuple[Points, int]:
    """The values of a page, and how many of its entries are none."""
    try:
        step, at, value = zip(*map(_COLUMNS, listed), strict=True) if listed else ((), (), ())
        columns = np.array(step), np.array(at), np.array(value)
        if not all(column.dtype.kind in "if" or not len(column) for column in columns):
            raise ValueError
        steps, bad = columns[0].astype(np.int64), 0
        points = Points(steps, columns[1].astype(np.float64) / 1000, columns[2].astype(np.float64))
    except (KeyError, TypeError, ValueError, IndexError, OverflowError):
        points, bad = _each(listed)
    return Points(points.step, points.at, with_infinities(points.value)), bad


def _each(listed: Sequence[Any]) -> tuple[Points, int]:
    """As ``_points``, for pages with numbers in words ("NaN") or with entries that are none: one by one."""
    rows = []
    for each in listed:
        entry = each if isinstance(each, Mapping) else {}
        step, at, value = (number(entry.get(name)) for name in ("step", "timestamp", "value"))
        step = 0.0 if step is None and entry.get("step") is None else step
        if value is not None and step is not None and abs(step) <= MOST_STEP and step == int(step):
            rows.append((step, np.nan if at is None else at / 1000, value))
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return Points(table[:, 0].astype(np.int64), table[:, 1], table[:, 2]), len(listed) - len(rows)


def _columns(points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return points.step, points.at, points.value


_NONE = Points(np.empty(0, np.int64), np.empty(0), np.empty(0))
