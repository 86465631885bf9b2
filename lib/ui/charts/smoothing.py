"""The charts' lines for every weight of smoothing: made beside the page's thread, and sent when a browser asks."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from lib.charts.smoothed import SmoothedLines
from lib.core.facts.runs import RunStatus
from lib.ui.charts.chart import Chart, lines_to_make, smoothed_lines_sent
from lib.ui.charts.on_axis import RunOnAxis

WAIT_S = 2.0
"""So long the rest of the page comes first, in seconds: nobody moves a slider before there is one."""

PATIENCE_S = 0.3
"""How long the page waits for lines that a browser asks for. It then says that they come later, and is free again."""

_TURN = threading.Lock()
"""One curve at a time in the whole process, so that the pages keep a core."""

_JOB = "charts:smoothing job"


@dataclass(slots=True)
class _Job:
    """Lines that are being made, in a thread that nobody waits for when the process ends."""

    lines: Sequence[SmoothedLines]
    wanted: threading.Event = field(default_factory=threading.Event)
    dropped: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._make, name="smoothed lines", daemon=True)
        self.thread.start()

    def _make(self) -> None:
        try:
            self.wanted.wait(WAIT_S)
            for lines in self.lines:
                with _TURN:
                    if self.dropped.is_set():
                        return
                    lines.make()
        finally:
            # The session keeps this for longer than the lines are remembered.
            self.lines = ()

    def makes(self, lines: Sequence[SmoothedLines]) -> bool:
        """Whether it goes on, and makes all of these."""
        own = {id(each) for each in self.lines}
        return self.thread.is_alive() and all(id(each) in own for each in lines)


def smoothed_lines(charts: Sequence[Chart], runs: Sequence[RunOnAxis], *, wanted: bool) -> list[bytes] | None:
    """See to it that the lines for every weight get made.

    Args:
        charts: Those of the page.
        runs: What they show.
        wanted: A browser asks for the lines.

    Returns:
        As they travel to the browser; ``None`` where they are not asked for, or not made yet.
    """
    by_key = {run.shown.curves: run for run in runs}
    # A run that grows is another one in a moment: its lines are made when they are asked for.
    early = {key for key, run in by_key.items() if wanted or run.compared.run.status is not RunStatus.RUNNING}
    every = [each for chart in charts for each in lines_to_make(chart, by_key)]
    missing = [lines for key, lines in every if key in early and not lines.are_made]
    job: _Job | None = st.session_state.get(_JOB)
    if missing and (job is None or not job.makes(missing)):
        if job is not None:
            job.dropped.set()
        st.session_state[_JOB] = job = _Job(missing)
    if not wanted:
        return None
    if missing and job is not None:
        job.wanted.set()
        job.thread.join(PATIENCE_S)
        if not all(each.are_made for each in missing):
            return None
    return [smoothed_lines_sent(chart, by_key) for chart in charts]
