"""Every read of the app, and what is remembered of it: objects of this module, none of Streamlit's caches.

Each is kept by reader (``RunSource.cache_key``), and what is read of a run by the run's version. All of it is shared
between sessions and must not be changed by anybody. A read that fails takes nothing away (``lib.ui.session.kept``):
it raises only where there is nothing to show in its place, or where the source refuses the reader.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from types import MappingProxyType

import streamlit as st

from lib.core.config.naming import labels_of
from lib.core.curves.derived import logged_for
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.errors import AppError, SignInExpired
from lib.core.facts.query import RunPage, RunQuery, answer
from lib.core.facts.runs import RunSummary
from lib.core.facts.selection import is_uploaded
from lib.data.joined import JoinedSource, part_of
from lib.data.settings import Settings, open_source
from lib.data.source import Progress, RunSource
from lib.ui.session.current_curves import CurvesMemory
from lib.ui.session.failures import Failures
from lib.ui.session.kept import Good, KnownRuns, LastGood, Outdated
from lib.ui.session.memory import ComputedValues, Memory
from lib.ui.session.run_data import SOURCE_BUCKETS, RunData, derived

LIST_S, MOST_LISTS = 30.0, 200
"""How many seconds old the run list may be: short enough for a run that has just started to be found."""

MOST_SOURCES = 10
"""How many opened sources are kept; a deployment has one."""

Named = tuple[tuple[RunSummary, ...], dict[str, str]]
"""Runs, and what they are called beside each other, by run id."""

_SOURCES: Memory[Settings, RunSource] = Memory(MOST_SOURCES)
_FAILURES = Failures()
_KNOWN = KnownRuns()
_LISTS: LastGood[RunQuery, tuple[RunPage, dict[str, str]]] = LastGood(
    "list", MOST_LISTS, LIST_S, _FAILURES, lambda reader: forget_reader(reader)
)
_RUNS: LastGood[tuple[str, ...], Named] = LastGood(
    "runs", MOST_LISTS, LIST_S, _FAILURES, lambda reader: forget_reader(reader)
)
_CURVES = CurvesMemory(_FAILURES)


def source(settings: Settings) -> RunSource:
    """The source that the settings name, shared by all sessions: one that everybody reads alike."""
    return _SOURCES.get(settings, lambda: open_source(settings))


def list_runs(source: RunSource, query: RunQuery) -> RunPage:
    """A page of the run list."""
    return _listed(source, query)[0]


def list_labels(source: RunSource, query: RunQuery) -> dict[str, str]:
    """What the runs of a page of the list are called there, by run id."""
    return _listed(source, query)[1]


def load_runs(source: RunSource, run_ids: tuple[str, ...]) -> tuple[RunSummary, ...]:
    """The selected runs, in the order asked for; unknown ids are left out."""
    return _named(source, run_ids)[0] if run_ids else ()


def run_labels(source: RunSource, run_ids: tuple[str, ...]) -> dict[str, str]:
    """What the runs with these ids are called beside each other, by run id."""
    return _named(source, run_ids)[1] if run_ids else {}


def load_data(
    source: RunSource, run: RunSummary, *, every_row: bool = False, progress: Progress | None = None
) -> RunData:
    """The curves of a run, and what follows from them; of one that is running, with the newest.

    Args:
        source: Where from.
        run: Which run.
        every_row: Ask for every logged value, where the source could reduce them.
        progress: Is told, from the thread of this call, how many rows are read.

    Raises:
        RunSourceError: If they cannot be read. Of an ``IncompleteRead`` the curves are worth showing.
    """
    return _CURVES.newest(part_of(source, run.run_id), run, None if every_row else SOURCE_BUCKETS, progress)


def load_part(
    source: RunSource, data: RunData, metrics: tuple[str, ...] | None = None, steps: tuple[int, int] | None = None
) -> RunCurves:
    """Some metrics or some steps of a run whose curves the source reduced, as finely as they are looked at.

    Raises:
        RunSourceError: If they cannot be read.
    """
    run_id, part = data.run.run_id, part_of(source, data.run.run_id)
    asked = None if metrics is None else logged_for(metrics)
    what = "part", part.cache_key, run_id, data.number, metrics, steps

    def read() -> RunCurves:
        found = part.load_curves([run_id], asked, steps, SOURCE_BUCKETS)
        return derived(found.get(run_id, RunCurves(run_id)), data.run)

    def kept() -> RunCurves:
        began = time.monotonic()
        try:
            curves = data.parts.get((metrics, steps), read)
        except SignInExpired:
            raise
        except AppError as error:
            _FAILURES.note(what, error, kept, time.monotonic() - began)
            raise
        _FAILURES.mended(what)
        return curves

    if data.parts.holds((metrics, steps)):
        return kept()
    _FAILURES.asked(what, kept)
    if (awaited := _FAILURES.awaited(what, has_last=False)) is not None:
        raise awaited
    with st.spinner("Loading full resolution…"):
        return kept()


def load_metrics(source: RunSource, data: RunData, metrics: Sequence[str]) -> RunCurves:
    """Metrics of a run that were not read at first, as finely as a whole run is looked at.

    Each is read once, whoever looks at it; those that are missing are asked for together.

    Raises:
        RunSourceError: If they cannot be read.
    """
    missing = tuple(metric for metric in metrics if not data.parts.holds(((metric,), None)))
    together = load_part(source, data, missing) if missing else RunCurves(data.run.run_id)

    def read(metric: str) -> RunCurves:
        found = together if metric in missing else load_part(source, data, (metric,))
        return replace(
            found, curves=MappingProxyType({key: found.curves[key] for key in found.curves if key == metric})
        )

    parts = [data.parts.get(((metric,), None), partial(read, metric)) for metric in metrics]
    return replace(
        together, curves=MappingProxyType({key: curve for part in parts for key, curve in part.curves.items()})
    )


def computed_values(key: str, read: Collection[RunData]) -> ComputedValues:
    """What was worked out of a comparison, until a newer version of one of its runs is read.

    Args:
        key: Names the comparison.
        read: What was read of its runs.
    """
    return _CURVES.computed_values(key, [(data.origin or data).number for data in read])


def forget_runs(source: RunSource, run_ids: tuple[str, ...], query: RunQuery) -> None:
    """Read these runs and this page of the list anew when they are asked for next; what others look at stays fresh."""
    readers, wanted = readers_of(source), set(run_ids)
    # Other comparisons of the same runs too: all pages of a reader are to show one version of each.
    _RUNS.due(lambda reader, ids: reader in readers and not wanted.isdisjoint(ids))
    _LISTS.due(lambda reader, asked: reader in readers and asked == query)


def refresh(source: RunSource, run_ids: tuple[str, ...], query: RunQuery) -> None:
    """Read anew, when it is asked for next, what one page shows; all of it stays until it was read."""
    forget_runs(source, run_ids, query)
    readers = readers_of(source)
    _CURVES.due(readers, run_ids)
    # Whoever asks for it waits for it.
    _FAILURES.due(lambda what: what[1] in readers)


def forget_reader(reader: str) -> None:
    """Forget all that was read for a reader who may not read it any more."""
    _LISTS.forget(lambda theirs, _: reader in theirs)
    _RUNS.forget(lambda theirs, _: reader in theirs)
    _KNOWN.drop(reader)
    _CURVES.forget_reader(reader)
    _FAILURES.forget(lambda what: what[1] == reader)


def forget_upload(cache_key: str, left: Collection[str] = ()) -> None:
    """Forget what was read of uploaded runs that are gone.

    Args:
        cache_key: Of the upload.
        left: The ids of its runs that are still there.
    """
    _LISTS.forget(lambda reader, _: cache_key in reader)
    _RUNS.forget(lambda reader, _: cache_key in reader)
    _KNOWN.drop(cache_key)
    _CURVES.forget_reader(cache_key, left)


def readers_of(source: RunSource) -> tuple[str, ...]:
    """Under which names a source reads: its own, and last that of the source that it is joined with."""
    return (source.cache_key, source.base.cache_key) if isinstance(source, JoinedSource) else (source.cache_key,)


def outdated_list(source: RunSource, query: RunQuery) -> Outdated | None:
    """Why a page of the list is not fresh; ``None`` where it is."""
    found = (_LISTS.outdated(reader, query, _known_since(reader)) for reader in readers_of(source))
    return next(filter(None, found), None)


def outdated_runs(source: RunSource, run_ids: tuple[str, ...]) -> Outdated | None:
    """Why the selected runs are not fresh; ``None`` where they are."""
    asked = zip(readers_of(source), (run_ids, _of_base(run_ids)), strict=False)
    found = (_RUNS.outdated(reader, ids, _known_since(reader, ids)) for reader, ids in asked)
    return next(filter(None, found), None)


def outdated_curves(source: RunSource, run_id: str, *, every_row: bool = False) -> Outdated | None:
    """Why the curves of a run are not fresh; ``None`` where they are."""
    return _CURVES.outdated(part_of(source, run_id).cache_key, run_id, None if every_row else SOURCE_BUCKETS)


def failures() -> Failures:
    """What could not be read, and when it is tried again."""
    return _FAILURES


@cache
def settle() -> None:
    """Take what the imports made out of the garbage collector's walk, once per process.

    Streamlit collects after every script run; walking every object of pandas, altair and the rest
    costs more than the run itself.
    """
    gc.collect()
    gc.freeze()


def _listed(source: RunSource, query: RunQuery) -> tuple[RunPage, dict[str, str]]:
    reader, joined = source.cache_key, source if isinstance(source, JoinedSource) else None

    def read() -> tuple[RunPage, dict[str, str]]:
        # What is read of the base is shared with everybody who reads it alike.
        page = joined.listed(query, list_runs) if joined is not None else source.list_runs(query)
        if joined is None:
            _KNOWN.note(reader, page.runs)
            is_whole = not (query.search.strip() or query.status) and page.total == len(page.runs)
            if is_whole and page.looked_at is None and (known := _KNOWN.of(reader)) is not None:
                _withdraw(reader, {run.run_id for run in known.value}, page.runs)
        return page, labels_of(page.runs)

    def instead() -> Good[tuple[RunPage, dict[str, str]]] | None:
        known = _KNOWN.of(reader)
        if known is None:
            return None
        page = answer(known.value, query)
        return Good((page, labels_of(page.runs)), known.as_of)

    found = _LISTS.get(reader, query, read, instead)
    is_outdated = joined is not None and _LISTS.outdated(joined.base.cache_key, query) is not None
    if found[0].looked_at is not None or is_outdated:
        # The source goes on looking, or comes back: the next to ask is told more.
        _LISTS.due(lambda theirs, asked: (theirs, asked) == (reader, query))
    return found


def _named(source: RunSource, run_ids: tuple[str, ...]) -> Named:
    reader, joined = source.cache_key, source if isinstance(source, JoinedSource) else None

    def read() -> Named:
        runs = joined.loaded(run_ids, load_runs) if joined is not None else source.load_runs(run_ids)
        if joined is None:
            _KNOWN.note(reader, runs)
            _withdraw(reader, run_ids, runs)
        return runs, labels_of(runs)

    def instead() -> Good[Named] | None:
        known = _KNOWN.of(reader, run_ids)
        return None if known is None else Good((known.value, labels_of(known.value)), known.as_of)

    found = _RUNS.get(reader, run_ids, read, instead)
    if joined is not None and _RUNS.outdated(joined.base.cache_key, _of_base(run_ids)) is not None:
        _RUNS.due(lambda theirs, asked: (theirs, asked) == (reader, run_ids))
    return found


def _withdraw(reader: str, asked: Collection[str], there: Collection[RunSummary]) -> None:
    """Forget what was read of runs that are not there any more, or are not for this reader."""
    gone = set(asked) - {run.run_id for run in there}
    if not (known := _KNOWN.drop(reader, gone)):
        return

    def without(listed: tuple[RunPage, dict[str, str]]) -> tuple[RunPage, dict[str, str]]:
        page, labels = listed
        left = tuple(run for run in page.runs if run.run_id not in known)
        return replace(page, runs=left, total=page.total - len(page.runs) + len(left)), labels

    _LISTS.revise(reader, without)
    _RUNS.forget(lambda theirs, ids: theirs == reader and not known.isdisjoint(ids))
    _CURVES.forget_runs(reader, known)


def _of_base(run_ids: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(run_id for run_id in run_ids if not is_uploaded(run_id))


def _known_since(reader: str, run_ids: tuple[str, ...] | None = None) -> datetime | None:
    known = _KNOWN.of(reader, run_ids)
    return None if known is None else known.as_of
