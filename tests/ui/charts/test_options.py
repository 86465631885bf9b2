"""What is taken from the toolbar, which runs in a browser and may send anything."""

from __future__ import annotations

import pytest
import streamlit as st

from lib.core.curves.axes import Axis
from lib.ui.charts.options import MODES, TAKEN, options, take
from lib.ui.session import link, url
from lib.ui.session.link import LinkState


@pytest.fixture(autouse=True)
def session(monkeypatch):
    monkeypatch.setattr(st, "session_state", {})


def test_what_is_chosen_holds_as_a_link_would_have_it():
    take({"loss": ["eval"], "smooth": ["0.9"], "log": ["1"], "outliers": ["shown"], "pin": ["500"]})
    take({"metric": ["perplexity", "eval_accuracy"], "zoom": ["100.5~200.2"]})
    assert url.state().texts == {
        "loss": ["eval"], "smooth": ["0.9"], "log": ["1"], "outliers": ["shown"], "zoom": ["100~201"], "pin": ["500"],
        "metric": ["perplexity", "eval_accuracy"],
    }  # fmt: skip
    take({"zoom": None, "pin": None, "metric": [], "smooth": ["0"]})
    assert url.state().texts == {"loss": ["eval"], "log": ["1"], "outliers": ["shown"]}


def test_on_another_axis_range_and_pin_mean_nothing():
    take({"zoom": ["1~2"], "pin": ["1"]})
    take({"x": ["epoch"]})
    assert url.state() == LinkState().having(link.AXIS, Axis.EPOCH)
    take({"zoom": ["0.25~1.75"]})
    assert url.value(link.ZOOM) == (0.25, 1.75)
    take({"x": ["epoch"]})
    assert url.value(link.ZOOM) == (0.25, 1.75), "the same axis"


@pytest.mark.parametrize(
    "changes", [{"zoom": ["2~1"]}, {"x": ["<b>"]}, {"smooth": ["nan"]}, {"run": ["a"]}, {"no": ["1"]}]
)
def test_what_makes_no_sense_or_is_not_the_charts_is_as_it_was(changes):
    take({"zoom": ["1~2"]})
    before = url.state()
    take(changes)
    assert url.state() == before


def test_the_toolbar_is_told_what_holds():
    take({"smooth": ["0.37"], "x": ["hours"]})
    told = options((0.5, 2.0))
    assert told["values"] | {"smooth": "0.37", "x": "hours"} == told["values"]
    assert "0.37" in told["weights"], "a weight that a link asks for can be shown"
    assert (told["extent"], told["whole"]) == ((0.5, 2.0), False)
    assert set(MODES) == set(link.LOSS_MODES)
    assert set(told["values"]) | {"metric"} == set(TAKEN)
