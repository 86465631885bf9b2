"""A run read under other names in one session, and as it was in all others."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np

from lib.core.curves.metric_curves import RunCurves, tidy_curve
from lib.core.facts.runs import ReadAs, RunSummary
from lib.ui.session.read_as import read_under, readable, saying
from lib.ui.session.run_data import RunData, data_of


def read(*, sent_all: bool = True) -> RunData:
    """A run with a sure train loss, a guessed eval loss and a metric that nobody knows."""
    steps = np.arange(1, 5)
    nothing = np.full(4, np.nan)
    made = {
        name: tidy_curve(steps, np.linspace(high, high / 2, 4), nothing, nothing)
        for name, high in (("train_loss", 2.0), ("eval_loss", 2.2), ("score", 9.0))
    }
    if not sent_all:
        made["eval_loss"] = replace(made["eval_loss"], logged=100)
    names = (ReadAs("valid_ce", "eval_loss", guessed=True), ReadAs("loss", "train_loss"))
    return data_of(RunCurves("a", MappingProxyType(made)), RunSummary(run_id="a", name="a", read_as=names))


def test_guesses_and_unknown_names_can_be_read_otherwise_and_what_is_sure_cannot():
    may = readable([read()])
    assert (may.guessed, may.further) == ({"valid_ce": ("eval_loss",)}, ("score",))
    assert "loss" not in may
    data = read()
    assert read_under(data, (("loss", ""), ("unheard of", "eval_loss"))) is data


def test_what_is_remembered_stays_as_it_was_read():
    data = read()
    other = read_under(data, (("score", "eval_loss"),))
    assert other.curves.get("eval_loss").value[0] == 9.0
    assert other.curves.get("valid_ce").value[0] == 2.2, "no curve is lost"
    assert data.curves.get("eval_loss").value[0] == 2.2
    assert (other.origin, data.origin) == (data, None)
    assert other.number != data.number, "what is remembered of the one is nothing of the other"
    assert read_under(data, (("score", "eval_loss"),)) is other
    assert readable([other]) == readable([data]), "what was said can be taken back"


def test_a_source_that_did_not_send_all_has_its_own_names():
    data = read(sent_all=False)
    assert readable([data]).guessed == {}
    assert read_under(data, (("valid_ce", ""),)) is data


def test_the_newer_wish_for_a_metric_counts():
    names = saying(saying((), "a", "eval_loss"), "b", "")
    assert names == (("a", "eval_loss"), ("b", ""))
    assert saying(names, "c", "eval_loss") == (("b", ""), ("c", "eval_loss"))
    assert saying(names, "a", None) == (("b", ""),)
