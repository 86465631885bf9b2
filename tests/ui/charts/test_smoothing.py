"""Lines for every weight are made beside the page's thread, which never waits for them long."""

from __future__ import annotations

import gc
import threading
import weakref
from types import SimpleNamespace

import pytest
import streamlit as st

from lib.core.facts.runs import RunStatus
from lib.ui.charts import smoothing
from lib.ui.charts.smoothing import smoothed_lines

LONG_S = 20.0


class Lines:
    """Lines that are made when they may be."""

    def __init__(self) -> None:
        self.may, self.were_made = threading.Event(), threading.Event()

    @property
    def are_made(self) -> bool:
        return self.were_made.is_set()

    def make(self) -> None:
        assert self.may.wait(LONG_S)
        self.were_made.set()


@pytest.fixture(autouse=True)
def session(monkeypatch):
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(smoothing, "WAIT_S", LONG_S)
    monkeypatch.setattr(smoothing, "PATIENCE_S", 0.01)
    monkeypatch.setattr(smoothing, "lines_to_make", lambda chart, runs: list(chart.items()))
    monkeypatch.setattr(smoothing, "smoothed_lines_sent", lambda chart, runs: b"sent")


def run(key: str, status: RunStatus = RunStatus.COMPLETED) -> SimpleNamespace:
    return SimpleNamespace(
        shown=SimpleNamespace(curves=key), compared=SimpleNamespace(run=SimpleNamespace(status=status))
    )


def test_the_page_goes_on_while_they_are_made_and_sends_them_when_they_are():
    lines = Lines()
    asked = [{"a": lines}], [run("a")]
    assert smoothed_lines(*asked, wanted=True) is None
    lines.may.set()
    assert lines.were_made.wait(LONG_S)
    assert smoothed_lines(*asked, wanted=True) == [b"sent"]
    assert smoothed_lines(*asked, wanted=False) is None, "nobody asked"


def test_nobody_needs_to_ask_for_them_to_be_made(monkeypatch):
    monkeypatch.setattr(smoothing, "WAIT_S", 0.0)
    lines = Lines()
    lines.may.set()
    assert smoothed_lines([{"a": lines}], [run("a")], wanted=False) is None
    assert lines.were_made.wait(LONG_S)


def test_those_of_a_run_that_grows_are_made_when_they_are_asked_for(monkeypatch):
    monkeypatch.setattr(smoothing, "WAIT_S", 0.0)
    growing, other = Lines(), Lines()
    asked = [{"a": growing, "b": other}], [run("a", RunStatus.RUNNING), run("b")]
    for lines in (growing, other):
        lines.may.set()
    smoothed_lines(*asked, wanted=False)
    assert other.were_made.wait(LONG_S)
    assert not growing.are_made
    smoothed_lines(*asked, wanted=True)
    assert growing.were_made.wait(LONG_S)


def test_what_is_no_longer_shown_is_not_made(monkeypatch):
    first, dropped, shown = Lines(), Lines(), Lines()
    for lines in (dropped, shown):
        lines.may.set()
    smoothed_lines([{"a": first, "b": dropped}], [run("a"), run("b")], wanted=True)
    smoothed_lines([{"c": shown}], [run("c")], wanted=True)
    assert not shown.are_made, "one after the other"
    first.may.set()
    assert shown.were_made.wait(LONG_S)
    assert not dropped.are_made


def test_a_session_keeps_no_lines_once_they_are_made():
    lines = Lines()
    gone = weakref.ref(lines)
    lines.may.set()
    assert smoothed_lines([{"a": lines}], [run("a")], wanted=True) is not None or lines.were_made.wait(LONG_S)
    (job,) = st.session_state.values()
    job.thread.join(LONG_S)
    del lines
    gc.collect()
    assert gone() is None
