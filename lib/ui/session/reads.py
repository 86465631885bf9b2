"""Every read of the app, and what is remembered of it: objects of this module, none of Streamlit's caches.

Each is kept by reader (``RunSource.cache_key``), and what is read of a run by the run's version. All of it is shared
between sessions and must not be changed by anybody.
"""

from __future__ import annotations

import gc
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cache, partial
from types import MappingProxyType

import streamlit as st

from lib.core.config.naming import labels_of
from lib.core.curves.derived import logged_for
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.query import RunPage, RunQuery
from lib.core.facts.runs import RunSummary
from lib.data.joined import JoinedSource, part_of
from lib.data.settings import Settings, open_source
from lib.data.source import Progress, RunSource
from lib.ui.session.memory import ComputedValues, Memory
from lib.ui.session.run_data import SOURCE_BUCKETS, CurvesMemory, RunData, derived

LIST_S, MOST_LISTS = 30.0, 200
"""How many seconds old the run list may be: short enough for a run that has just started to be found."""

MOST_SOURCES = 10
"""How many opened sources are kept; a deployment has one."""

Named = tuple[tuple[RunSummary, ...], dict[str, str]]
"""Runs, and what they are called beside each other, by run id."""

_SOURCES: Memory[Settings, RunSource] = Memory(MOST_SOURCES)
_LISTS: Memory[tuple[str, RunQuery], tuple[RunPage, dict[str, str]]] = Memory(MOST_LISTS, LIST_S)
_RUNS: Memory[tuple[str, tuple[str, ...]], Named] = Memory(MOST_LISTS, LIST_S)
_CURVES = CurvesMemory()


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
    run_id = data.run.run_id
    asked = None if metrics is None else logged_for(metrics)

    def read() -> RunCurves:
        with st.spinner("Loading full resolution…"):
            found = part_of(source, run_id).load_curves([run_id], asked, steps, SOURCE_BUCKETS)
            return derived(found.get(run_id, RunCurves(run_id)), data.run)

    return data.parts.get((metrics, steps), read)


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
    """Read these runs and this page of the list anew; keep what others look at."""
    parts = (source, source.base) if isinstance(source, JoinedSource) else (source,)
    readers, wanted = {part.cache_key for part in parts}, set(run_ids)
    # Other comparisons of the same runs too: all pages of a reader are to show one version of each.
    _RUNS.forget(lambda key: key[0] in readers and not wanted.isdisjoint(key[1]))
    _LISTS.forget(lambda key: key[0] in readers and key[1] == query)


def forget_upload(cache_key: str, left: Collection[str] = ()) -> None:
    """Forget what was read of uploaded runs that are gone.

    Args:
        cache_key: Of the upload.
        left: The ids of its runs that are still there.
    """
    _LISTS.forget(lambda key: cache_key in key[0])
    _RUNS.forget(lambda key: cache_key in key[0])
    _CURVES.forget_reader(cache_key, left)


def refresh() -> None:
    """Forget everything that was read. Who is signed in stays so, and sources stay open."""
    _LISTS.forget()
    _RUNS.forget()
    _CURVES.forget()


@cache
def settle() -> None:
    """Take what the imports made out of the garbage collector's walk, once per process.

    Streamlit collects after every script run; walking every object of pandas, altair and the rest
    costs more than the run itself.
    """
    gc.collect()
    gc.freeze()


def _listed(source: RunSource, query: RunQuery) -> tuple[RunPage, dict[str, str]]:
    def read() -> tuple[RunPage, dict[str, str]]:
        # What is remembered of the base is shared with everybody who reads it alike.
        page = source.listed(query, list_runs) if isinstance(source, JoinedSource) else source.list_runs(query)
        return page, labels_of(page.runs)

    found = _LISTS.get((source.cache_key, query), read)
    if found[0].looked_at is not None:
        # The source goes on looking: the next to ask is told more.
        _LISTS.forget(lambda key: key == (source.cache_key, query))
    return found


def _named(source: RunSource, run_ids: tuple[str, ...]) -> Named:
    def read() -> Named:
        runs = source.loaded(run_ids, load_runs) if isinstance(source, JoinedSource) else source.load_runs(run_ids)
        return runs, labels_of(runs)

    return _RUNS.get((source.cache_key, run_ids), read)
