"""Running runs: new points appear without a reload, until nothing runs any more or somebody pauses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from lib.core.facts.errors import AppError, SignInExpired
from lib.core.facts.liveness import is_stalled, silent_for
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.facts.selection import is_uploaded
from lib.core.text import formatting
from lib.data.source import FollowedSource, LiveSource, RunSource
from lib.log.errors import goes_on
from lib.ui.frame import error_ids, refreshing
from lib.ui.frame.escape import md
from lib.ui.session import link, reads, url
from lib.ui.session.comparison import ComparedRun, Comparison

FOLLOWED_S = 3600.0
"""A log that was not written for so many seconds is taken to be at its end."""
LOOKING_S = 1.0
"""While a source looks through its folder, what it found is shown so often, in seconds."""

_PAUSED, _WHOLE_RUN, _FOLLOWED, _NO_NEWS = "live:paused", "live:whole run", "live:followed", "live:no news"


def live(source: RunSource, comparison: Comparison) -> None:
    """Watch the selected runs that are running, and rerun the page when one has news."""
    running = [
        each for each in comparison.runs if each.stored.status is RunStatus.RUNNING and not is_uploaded(each.run.run_id)
    ]
    if not running or not isinstance(source, LiveSource):
        return
    # This run of the page has just read everything; the next look is the timer's.
    st.session_state[_WHOLE_RUN] = True
    paused = st.session_state.setdefault(_PAUSED, False)
    st.fragment(_watch, run_every=None if paused else source.refresh_s)(source, running)


def follow(source: RunSource, comparison: Comparison) -> None:
    """Of a source that is looked at in the background, show what it finds: runs as they come, and those that grow."""
    if not isinstance(source, FollowedSource):
        return
    page = reads.list_runs(source, url.query())
    now = source.now()
    may_grow = any(_may_grow(each.stored, now) for each in comparison.runs if not is_uploaded(each.run.run_id))
    if page.looked_at is None and not may_grow:
        return
    # This run of the page has just read everything; the next look is the timer's.
    st.session_state[_FOLLOWED] = True
    every = LOOKING_S if page.looked_at is not None else source.refresh_s
    st.fragment(_look, run_every=every)(source, comparison.runs, page.looked_at)


def _may_grow(run: RunSummary, now: datetime) -> bool:
    """Whether a run's log may go on: it does not say that it is done, and was written not long ago."""
    if run.status not in (RunStatus.UNKNOWN, RunStatus.RUNNING) or run.updated_at is None:
        return run.status is RunStatus.RUNNING
    return (now - run.updated_at).total_seconds() < FOLLOWED_S


def _look(source: FollowedSource, shown: Sequence[ComparedRun], looked_at: tuple[int, int] | None) -> None:
    if st.session_state.pop(_FOLLOWED, False):
        return
    try:
        fresh = {run.run_id: run.version for run in source.load_runs([each.run.run_id for each in shown])}
        news = any(fresh.get(each.run.run_id) != each.stored.version for each in shown)
        if looked_at is not None:
            news = news or source.list_runs(url.query()).looked_at != looked_at
    except AppError:
        # The page says what is wrong, and then waits by itself until it is well again.
        news = not refreshing.is_waiting(source)
    if news:
        reads.forget_runs(source, url.value(link.RUNS), url.query())
        st.rerun()


def _watch(source: LiveSource, running: Sequence[ComparedRun]) -> None:
    failed = None
    if not st.session_state.pop(_WHOLE_RUN, False) and not st.session_state[_PAUSED]:
        try:
            news = _has_news(source, running)
        except SignInExpired:
            news = True  # the page asks to sign in again
        except AppError as error:
            news, failed = False, error
            if (before := st.session_state.get(_NO_NEWS)) is not None:
                goes_on(before, error)
        st.session_state[_NO_NEWS] = failed
        if news:
            reads.forget_runs(source, url.value(link.RUNS), url.query())
            st.rerun()
    now = source.now()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="live"):
        count = "1 run is" if len(running) == 1 else f"{len(running)} runs are"
        st.markdown(f":small[:material/sensors: {count} running · as of {refreshing.clock(now)}]", width="content")
        paused = st.toggle("Pause", key="live_pause", value=st.session_state[_PAUSED])
        if failed:
            st.markdown(
                f":small[:orange[:material/cloud_off: {md(str(failed))}]] {error_ids.shown(failed)}", width="content"
            )
        for each in running:
            if is_stalled(each.stored, now):
                silence = formatting.duration(silent_for(each.stored, now))
                st.markdown(
                    f":small[:orange[:material/hourglass_disabled: {md(each.label)} is stalled: it has not reported"
                    f" for {silence}]]",
                    width="content",
                )
    if paused != st.session_state[_PAUSED]:
        st.session_state[_PAUSED] = paused
        st.rerun()  # the timer starts or stops with the page


def _has_news(source: LiveSource, running: Sequence[ComparedRun]) -> bool:
    fresh = {run.run_id: run for run in source.load_runs([each.run.run_id for each in running])}
    for each in running:
        run = fresh.get(each.run.run_id)
        every_row = url.value(link.EVERY_ROW)
        if reads.outdated_curves(source, each.run.run_id, every_row=every_row) is not None:
            continue  # What could not be read is tried again, and is news then.
        if run is None or run.version != each.stored.version:
            return True
        if each.data is None or reads.load_data(source, run, every_row=every_row) is not each.data:
            return True
    return False
