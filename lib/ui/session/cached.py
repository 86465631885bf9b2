"""Every cached read of the app; no other module uses ``st.cache_*``.

A source cannot be hashed, so it is passed with a leading underscore, which leaves it out of the key;
its ``cache_key``, which names the reader too, stands in the key instead. What is cached as a resource
is shared between sessions and must not be changed by anybody.
"""

from __future__ import annotations

import contextlib
import gc
import math
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import streamlit as st
from cachetools import TTLCache

from lib.core.checks.registry import METRICS_READ
from lib.core.config.derived import EffectiveBatch
from lib.core.config.effective import configured_gpus, configured_learning_rate, effective_batch
from lib.core.config.naming import labels_of
from lib.core.curves.derived import logged_for, with_derived
from lib.core.curves.evidence import RunEvidence, evidence_of
from lib.core.curves.metric_curves import RunCurves, extended, holds
from lib.core.facts.errors import SourceUnavailable
from lib.core.facts.metrics import FURTHER, METRICS
from lib.core.facts.query import RunPage, RunQuery
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.verdict.summary_columns import MEDIANS
from lib.data.settings import Settings, open_source
from lib.data.source import LiveSource, Progress, RunSource
from lib.ui.session.visitors import Visitors

if TYPE_CHECKING:
    from lib.data.supabase.auth import SignedIn

T = TypeVar("T")

LIST_TTL = "30s"
"""How old the run list may be: short enough for a run that has just started to be found."""

CURVES_TTL = "10m"
"""How long curves stay in memory; a change of the run's ``updated_at`` reads them anew at once."""


SOURCE_BUCKETS = 1000
"""A source may reduce curves to so many stretches: several times what a chart is wide, so that every axis and
every width can be drawn of them, and so many that runs of up to four thousand points come whole."""

FIRST_METRICS = logged_for(
    (*METRICS_READ, *(key for key, metric in METRICS.items() if metric.chart != FURTHER), *MEDIANS)
)
"""What the page's checks, its charts and its table need; a source that reduces curves is asked for others when they
are wanted."""

MADE_ENTRIES, MADE_S = 1000, 600.0
"""How many results of ``once`` are kept, and for how many seconds: some ten for each comparison and way of looking."""

_MADE: TTLCache = TTLCache(MADE_ENTRIES, MADE_S)
"""What ``once`` made. Not one of Streamlit's caches: to hash every argument anew costs more than most of it."""
_MADE_LOCK = threading.Lock()
_MISSING = object()

WHOLE_EVERY_S = 60.0
"""A running run is read as a whole so often, in seconds; in between only its end is."""

ASK_SHARE = 0.5
"""Of the refresh interval: several pages that look at one run ask for news once."""


@dataclass(frozen=True, slots=True)
class RunData:
    """What was read of a run, and what follows from it. Shared: never change it."""

    curves: RunCurves
    evidence: RunEvidence
    batch: EffectiveBatch
    configured_learning_rate: float | None


class Held:
    """The curves of one running run as one reader has them: what is new is asked for and put to them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._data: RunData | None = None
        self._asked_at = self._whole_at = -math.inf

    def newest(self, source: LiveSource, run: RunSummary, buckets: int | None, progress: Progress | None) -> RunData:
        """The run's curves, at most about ``source.refresh_s`` old."""
        with self._lock:
            now = time.monotonic()
            if self._data is None or now - self._whole_at > WHOLE_EVERY_S:
                # A row of an earlier step may come late, where a run was resumed.
                self._data = data_of(_read(source, run.run_id, buckets, progress), run)
                self._whole_at = self._asked_at = now
            elif now - self._asked_at > ASK_SHARE * source.refresh_s:
                self._asked_at = now
                # What is held stays worth showing; the live bar says that there is no news, and why.
                with contextlib.suppress(SourceUnavailable):
                    self._extend(source, run)
            return self._data

    def _extend(self, source: LiveSource, run: RunSummary) -> None:
        held = self._data.curves
        after = self._data.evidence.last_step or 0
        news = source.load_new_curves([run.run_id], {run.run_id: after}).get(run.run_id, RunCurves(run.run_id))
        if not holds(held, news):
            self._data = data_of(extended(held, news, after), run)


def source(settings: Settings) -> RunSource:
    """The source that the settings name, shared by all sessions: one that everybody reads alike."""
    return _open(settings)


@st.cache_resource(show_spinner=False)
def visitors() -> Visitors[SignedIn]:
    """The people who are signed in."""
    return Visitors()


def list_runs(source: RunSource, query: RunQuery) -> RunPage:
    """A page of the run list."""
    return _list_runs(source.cache_key, query, source)[0]


def list_labels(source: RunSource, query: RunQuery) -> dict[str, str]:
    """What the runs of a page of the list are called there, by run id."""
    return _list_runs(source.cache_key, query, source)[1]


def load_runs(source: RunSource, run_ids: tuple[str, ...]) -> tuple[RunSummary, ...]:
    """The selected runs, in the order asked for; unknown ids are left out."""
    return _load_runs(source.cache_key, run_ids, source)[0] if run_ids else ()


def run_labels(source: RunSource, run_ids: tuple[str, ...]) -> dict[str, str]:
    """What the runs with these ids are called beside each other, by run id."""
    return _load_runs(source.cache_key, run_ids, source)[1] if run_ids else {}


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
    buckets = None if every_row else SOURCE_BUCKETS
    if isinstance(source, LiveSource) and run.status is RunStatus.RUNNING:
        return _held(source.cache_key, run.run_id, buckets).newest(source, run, buckets, progress)
    return _load_data(source.cache_key, run.run_id, run.updated_at, buckets, run, source, progress)


def load_part(
    source: RunSource, run: RunSummary, metrics: tuple[str, ...] | None = None, steps: tuple[int, int] | None = None
) -> RunCurves:
    """Some metrics or some steps of a run whose curves the source reduced, as finely as they are looked at.

    Raises:
        RunSourceError: If they cannot be read.
    """
    return _load_part(source.cache_key, run.run_id, run.updated_at, metrics, steps, run, source)


def data_of(curves: RunCurves, run: RunSummary) -> RunData:
    """What follows from the curves of a run."""
    return RunData(derived(curves, run), evidence_of(curves), effective_batch(run), configured_learning_rate(run))


def derived(curves: RunCurves, run: RunSummary) -> RunCurves:
    """The curves of a run with those that are derived from them and from what was configured."""
    return with_derived(curves, replace(run, num_gpus=configured_gpus(run)))


def _read(source: RunSource, run_id: str, buckets: int | None, progress: Progress | None) -> RunCurves:
    # Only a source far away takes so long that somebody wants to know how far it is.
    told = {"progress": progress} if isinstance(source, LiveSource) else {}
    metrics = FIRST_METRICS if buckets is not None and isinstance(source, LiveSource) else None
    return source.load_curves([run_id], metrics, buckets=buckets, **told).get(run_id, RunCurves(run_id))


def once(subject: str, key: Hashable, make: Callable[[], T]) -> T:
    """What ``make`` gives, made once for each subject and key and then shared: never change it.

    Args:
        subject: What is made.
        key: Everything that it depends on, the reader among it (``Comparison.key``).
        make: Makes it. May not draw anything.
    """
    with _MADE_LOCK:
        found = _MADE.get((subject, key), _MISSING)
    if found is _MISSING:
        # Two sessions may make the same at once: that costs less than one waiting for the other.
        found = make()
        with _MADE_LOCK:
            _MADE[subject, key] = found
    return found


def forget_runs(source: RunSource, run_ids: tuple[str, ...], query: RunQuery) -> None:
    """Read these runs and this page of the list anew; keep their curves, and what others look at."""
    _load_runs.clear(source.cache_key, run_ids, source)
    _list_runs.clear(source.cache_key, query, source)


def refresh() -> None:
    """Forget everything that was read."""
    _list_runs.clear()
    _load_runs.clear()
    _load_data.clear()
    _load_part.clear()
    _held.clear()
    with _MADE_LOCK:
        _MADE.clear()


@st.cache_resource(show_spinner=False)
def settle() -> None:
    """Take what the imports made out of the garbage collector's walk, once per process.

    Streamlit collects after every script run; walking every object of pandas, altair and the rest
    costs more than the run itself.
    """
    gc.collect()
    gc.freeze()


@st.cache_resource(show_spinner=False)
def _open(settings: Settings) -> RunSource:
    return open_source(settings)


@st.cache_resource(ttl=LIST_TTL, max_entries=200, show_spinner=False)
def _list_runs(cache_key: str, query: RunQuery, _source: RunSource) -> tuple[RunPage, dict[str, str]]:
    page = _source.list_runs(query)
    return page, labels_of(page.runs)


@st.cache_resource(ttl=LIST_TTL, max_entries=200, show_spinner=False)
def _load_runs(
    cache_key: str, run_ids: tuple[str, ...], _source: RunSource
) -> tuple[tuple[RunSummary, ...], dict[str, str]]:
    runs = _source.load_runs(run_ids)
    return runs, labels_of(runs)


@st.cache_resource(ttl=CURVES_TTL, max_entries=60, show_spinner=False)
def _load_data(
    cache_key: str,
    run_id: str,
    version: datetime | None,
    buckets: int | None,
    _run: RunSummary,
    _source: RunSource,
    _progress: Progress | None,
) -> RunData:
    return data_of(_read(_source, run_id, buckets, _progress), _run)


@st.cache_resource(ttl=CURVES_TTL, max_entries=200, show_spinner="Loading full resolution…")
def _load_part(
    cache_key: str,
    run_id: str,
    version: datetime | None,
    metrics: tuple[str, ...] | None,
    steps: tuple[int, int] | None,
    _run: RunSummary,
    _source: RunSource,
) -> RunCurves:
    asked = None if metrics is None else logged_for(metrics)
    read = _source.load_curves([run_id], asked, steps, SOURCE_BUCKETS)
    return derived(read.get(run_id, RunCurves(run_id)), _run)


@st.cache_resource(ttl=CURVES_TTL, max_entries=60, show_spinner=False)
def _held(cache_key: str, run_id: str, buckets: int | None) -> Held:
    return Held()
