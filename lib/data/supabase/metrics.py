"""Reading the metrics table in full: past the server's limit on rows, in parallel, and proven complete.

A server sends at most so many rows (1,000 by default) and does not say that it left some out, so no
page is taken for the last because it is short: a run is complete when as many rows came as the server
counted, or when a page is empty. Pages begin at the last step read, which an index finds, however long
the run.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
from postgrest import CountMethod, SyncRequestBuilder

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.errors import SourceUnavailable
from lib.core.facts.values import moment
from lib.data.source import IncompleteRead, Progress
from lib.data.supabase.client import Access, Answer, Columns
from lib.data.supabase.pages import AGAIN, only_value, rows_of_page, written
from lib.data.tables.metric_rows import curves_of_rows

PAGE_ROWS = 10_000
"""Asked for at once, some 1 MB; most servers send fewer."""
WORKERS = 6
"""Pages read at the same time: they hide the way to the server, and leave connections to other readers."""
FILL = 0.9
"""How full the pages of a run are planned: evaluations are rows of their own, so rows are not spread evenly."""
LARGEST_STEP = 2**31 - 1
"""Of PostgreSQL's integer: a larger number in a filter is an error, not an empty answer."""

ESSENTIAL = ("job_id", "step")
_IN_PART = "What was read can be shown, but rows are missing."


@dataclass(frozen=True, slots=True)
class Span:
    """The rows of a run from one step to another, both included.

    Attributes:
        last: ``None`` for as far as the run goes.
        skip: So many rows of step ``first`` have been read already.
    """

    run_id: str
    first: float = 0
    last: float | None = None
    skip: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """What was read of a span.

    Attributes:
        pages: In the order of step and id.
        total: How many rows the span has; ``None`` where that is not known.
        rest: The spans that are still to be read.
        error: Why it was not read to its end.
    """

    run_id: str
    pages: tuple[pa.Table, ...] = ()
    total: int | None = None
    rest: tuple[Span, ...] = ()
    error: SourceUnavailable | None = None

    @property
    def rows(self) -> int:
        return sum(page.num_rows for page in self.pages)


@dataclass(slots=True)
class MetricsReader:
    """Reads the metrics table for one reader. Safe to share between threads.

    Attributes:
        origins: When the first row of a run was written, by run id, as far as asked.
    """

    access: Access
    table: str
    origins: dict[str, str | None] = field(default_factory=dict)

    def curves(
        self, spans: Sequence[Span], wanted: Sequence[str], *, whole: bool, progress: Progress | None = None
    ) -> dict[str, RunCurves]:
        """Read these spans. ``elapsed_s`` counts from the first row of each run, read or not.

        Args:
            spans: One for each run.
            wanted: The metrics' columns.
            whole: Rows that have none of these are asked for too.
            progress: Is told how many rows of how many are there.

        Raises:
            IncompleteRead: If rows are missing after all repetitions; what came is in it.
            AppError: If nothing could be read.
        """
        if not spans or not wanted:
            return {}
        moved = [span.run_id for span in spans if not whole or span.first > 0]
        tally = _Tally(progress)
        with ThreadPoolExecutor(min(WORKERS, len(spans) + len(moved))) as threads:
            timed = threads.map(self._origin, moved)
            parts = list(threads.map(lambda span: self._open(span, wanted, whole, tally), spans))
            origins = {run_id: when for run_id, when in zip(moved, timed, strict=True) if when is not None}
        follow = [(part.run_id, span) for part in parts for span in part.rest]
        if follow:
            failed: set[str] = set()

            def go_on(span: Span) -> Part:
                # One page that cannot be read after all repetitions is enough to know of a run.
                part = Part(span.run_id) if span.run_id in failed else self._drain(span, wanted, whole, tally)
                if part.error is not None:
                    failed.add(span.run_id)
                return part

            with ThreadPoolExecutor(min(WORKERS, len(follow))) as threads:
                more = list(threads.map(go_on, [span for _, span in follow]))
        else:
            more = []
        return _joined(parts, more, origins)

    def _open(self, span: Span, metrics: Sequence[str], whole: bool, tally: _Tally) -> Part:
        """Read the first page, and plan the others."""
        pages: tuple[pa.Table, ...] = ()
        total = None
        try:
            page, total = self._page(span, metrics, whole, counted=True)
            pages = (page,) if page.num_rows else ()
            tally.add(page.num_rows, total)
            if not pages or (total is not None and page.num_rows >= total):
                return Part(span.run_id, pages, total)
            after = _after(span, page)
            if total is None or total - page.num_rows <= 2 * page.num_rows:
                return Part(span.run_id, pages, total, (after,))
            rest = _planned(after, self._last_step(span, metrics, whole), total - page.num_rows, page.num_rows)
            return Part(span.run_id, pages, total, rest)
        except SourceUnavailable as error:
            return Part(span.run_id, pages, total, error=error)

    def _drain(self, span: Span, metrics: Sequence[str], whole: bool, tally: _Tally) -> Part:
        """Read a span to its end, page by page."""
        pages: list[pa.Table] = []
        total, read, skipped = None, 0, span.skip
        try:
            while True:
                page, counted = self._page(span, metrics, whole, counted=total is None)
                total = total if total is not None else counted
                if not page.num_rows:
                    break
                pages.append(page)
                tally.add(page.num_rows)
                read += page.num_rows
                if total is not None and read >= total - skipped:
                    break
                span = _after(span, page)
        except SourceUnavailable as error:
            return Part(span.run_id, tuple(pages), total, error=error)
        return Part(span.run_id, tuple(pages), total)

    def _page(self, span: Span, metrics: Sequence[str], whole: bool, *, counted: bool) -> tuple[pa.Table, int | None]:
        def write(table: SyncRequestBuilder, columns: Columns) -> Any:
            shown = [name for name in columns if name not in ("id", "job_id")]
            query = table.select(*map(written, shown), f"{AGAIN}:step", count=CountMethod.exact if counted else None)
            query = _within(query, span, () if whole else [name for name in columns if name in metrics])
            # Without an id, rows that are equal in all that is asked for may change places.
            for name in ("step", "id") if "id" in columns else shown:
                query = query.order(written(name))
            return (query.offset(span.skip) if span.skip else query).limit(PAGE_ROWS).csv()

        def parse(answer: Answer, columns: Columns) -> tuple[pa.Table, int | None]:
            shown = [name for name in columns if name not in ("id", "job_id")]
            return rows_of_page(answer, shown), answer.total

        asked = (*ESSENTIAL, "id", "epoch", "timestamp", *metrics)
        return self.access.read(self.table, asked, ESSENTIAL, write, parse)

    def _last_step(self, span: Span, metrics: Sequence[str], whole: bool) -> float:
        def write(table: SyncRequestBuilder, columns: Columns) -> Any:
            query = table.select("step", f"{AGAIN}:step")
            query = _within(query, span, () if whole else [name for name in columns if name in metrics])
            return query.order("step", desc=True).limit(1).csv()

        def parse(answer: Answer, _: Columns) -> float:
            return float(only_value(answer) or span.first)

        return self.access.read(self.table, (*ESSENTIAL, *metrics), ESSENTIAL, write, parse)

    def _origin(self, run_id: str) -> str | None:
        """When the first row of a run was written."""

        def write(table: SyncRequestBuilder, columns: Columns) -> Any:
            when = "timestamp" if "timestamp" in columns else "step"
            query = _within(table.select(when, f"{AGAIN}:{when}"), Span(run_id), ())
            return query.not_.is_(when, "null").order(when).limit(1).csv()

        def parse(answer: Answer, columns: Columns) -> str | None:
            return only_value(answer) if "timestamp" in columns else None

        if run_id not in self.origins:
            try:
                found = self.access.read(self.table, (*ESSENTIAL, "timestamp"), ESSENTIAL, write, parse)
            except SourceUnavailable:
                # The rows themselves, which are read at the same time, tell of the failure.
                return None
            if found is None:
                return None
            self.origins[run_id] = found
        return self.origins[run_id]


def _joined(parts: Sequence[Part], more: Sequence[Part], origins: Mapping[str, str]) -> dict[str, RunCurves]:
    read = (*parts, *more)
    curves = {}
    for part in parts:
        pages = [page for each in read if each.run_id == part.run_id for page in each.pages]
        if pages:
            rows = pa.concat_tables(_alike(pages), promote_options="default")
            curves[part.run_id] = curves_of_rows(
                part.run_id,
                rows,
                expected=part.total,
                started_us=_microseconds(origins.get(part.run_id)),
                as_written=False,
            )
    errors = {part.run_id: part.error for part in read if part.error is not None}
    if not errors:
        return {run_id: run for run_id, run in curves.items() if run.curves}
    error = next(iter(errors.values()))
    if not curves:
        raise error
    rows_read = sum(part.rows for part in read if part.run_id in errors)
    totals = [part.total for part in parts if part.run_id in errors and part.total is not None]
    expected = sum(totals) if len(totals) == len(errors) else None
    raise IncompleteRead(
        f"Expected {'all' if expected is None else format(expected, ',')} metric rows of"
        f" {len(errors)} {'run' if len(errors) == 1 else 'runs'}, read {rows_read:,}. {error}",
        hint=f"{_IN_PART} {error.hint}",
        besides=f"{_IN_PART} {error.besides}".rstrip(),
        curves=curves,
        run_ids=list(errors),
        rows_read=rows_read,
        rows_expected=expected,
    ) from error


def _alike(pages: Sequence[pa.Table]) -> Sequence[pa.Table]:
    """Pages with columns of one type: what is text in one of them is text in all."""
    texts = {name for page in pages for name in page.column_names if pa.types.is_string(page.schema.field(name).type)}
    for name in texts:
        pages = [
            page
            if name not in page.column_names
            else page.set_column(page.column_names.index(name), name, page[name].cast(pa.string()))
            for page in pages
        ]
    return pages


def _microseconds(stamp: str | None) -> int | None:
    """A timestamp of the database, in microseconds since 1970."""
    when = moment(stamp)
    return None if when is None else round(when.timestamp() * 1e6)


class _Tally:
    """Counts the rows that threads read, for somebody who waits."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress, self._lock = progress, threading.Lock()
        self._read, self._expected = 0, 0

    def add(self, rows: int, expected: int | None = None) -> None:
        with self._lock:
            self._read += rows
            self._expected += expected or 0
            if self._progress is not None:
                self._progress(self._read, self._expected or None)


def _within(query: Any, span: Span, any_of: Sequence[str]) -> Any:
    """Only the rows of a span; only those where one of the metrics is not null, if any are named."""
    query = query.eq("job_id", span.run_id).gte("step", _written(span.first))
    if span.last is not None and span.last <= LARGEST_STEP:
        query = query.lte("step", _written(span.last))
    return query.or_(",".join(f"{written(name)}.not.is.null" for name in any_of)) if any_of else query


def _written(step: float) -> str:
    return f"{min(step, LARGEST_STEP):.0f}" if float(step).is_integer() else repr(step)


def _after(span: Span, page: pa.Table) -> Span:
    """What follows a page: the rest of its last step, and all behind it."""
    steps = page["step"].to_numpy()
    seen = int((steps == steps[-1]).sum())
    return replace(span, first=float(steps[-1]), skip=seen + (span.skip if steps[-1] == span.first else 0))


def _planned(after: Span, last_step: float, rows: int, page_rows: int) -> tuple[Span, ...]:
    """Spans of about a page each; the last is as open as the whole was."""
    width = math.floor(last_step) - math.floor(after.first)
    count = min(math.ceil(rows / (page_rows * FILL)), width)
    if count < 2:
        return (after,)
    ends = [math.floor(after.first) + width * (number + 1) // count for number in range(count)]
    starts = [after, *(replace(after, first=end + 1, skip=0) for end in ends[:-1])]
    return tuple(replace(span, last=end) for span, end in zip(starts, [*ends[:-1], after.last], strict=True))
