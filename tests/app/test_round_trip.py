"""Whatever a link may carry, every page reads it, shows it and writes the same link again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.core.budget.spent import MOST, SIGNS, Kind, Price
from lib.core.curves.axes import Axis
from lib.core.facts.query import PAGE_SIZE, RunSort
from lib.core.facts.runs import RunStatus
from lib.core.facts.sizes import LONGEST_LIST
from lib.ui.session import link
from tests.app.harness import PAGES, App

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf", "Co", "Cn")), max_size=12)
NAMED = st.sampled_from(["perplexity", "gpu_utilization_percent", "train_perplexity"])
AMOUNTS = st.floats(0.0, MOST, exclude_min=True)
SETS = {"unique": True, "max_size": 2}

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "q": TEXTS,
    "status": st.sampled_from([None, *RunStatus]),
    "sort": st.sampled_from([*RunSort]),
    "list": st.integers(PAGE_SIZE, LONGEST_LIST),
    "weight": st.floats(0.0, 1.0).map(lambda weight: round(weight * 20) / 20),
    "by": st.sampled_from(["", "eval_loss", "perplexity"]),
    "better": st.sampled_from(["", "lower", "higher"]),
    "minus": st.booleans(),
    "as": st.just(()),
    "ended": st.booleans(),
    "x": st.sampled_from([*Axis]),
    "loss": st.sampled_from(link.LOSS_MODES),
    "smooth": st.one_of(st.sampled_from(link.SMOOTHING_WEIGHTS), st.floats(0.0, 0.99)),
    "log": st.booleans(),
    "outliers": st.sampled_from(["auto", "ignored", "shown"]),
    "zoom": st.one_of(
        st.none(), st.tuples(st.integers(5, 1000), st.integers(1001, 3000)).map(lambda x: (float(x[0]), float(x[1])))
    ),
    "pin": st.one_of(st.none(), st.floats(-1e6, 1e6)),
    "rows": st.booleans(),
    "metric": st.lists(NAMED, **SETS).map(tuple),
    "col": st.lists(st.sampled_from(["model", "eval_loss", "perplexity", "score", "duration"]), **SETS).map(tuple),
    "budget": st.one_of(st.none(), st.tuples(st.sampled_from([*Kind]), AMOUNTS)),
    "price": st.one_of(st.none(), st.builds(Price, AMOUNTS, st.sampled_from(SIGNS))),
    "find": TEXTS,
    "equal": st.booleans(),
}
"""A value of every parameter that a page with the demo's runs can show, but the runs and the baseline."""


@st.composite
def states(draw, runs):
    """A state of the link; the baseline is one of the selected runs."""
    picked = draw(st.lists(st.sampled_from(runs), unique=True, max_size=3).map(tuple))
    state = link.LinkState().having(link.RUNS, picked)
    state = state.having(link.BASE, draw(st.sampled_from(["", *picked])))
    for name, values in VALUES.items():
        # Most links change few things.
        if draw(st.booleans()):
            state = state.having(link.PARAMS[name], draw(values))
    if state[link.AXIS] is not Axis.STEP:
        # A range is in the unit of its axis.
        state = state.having(link.ZOOM, None)
    return state


def test_every_parameter_of_a_link_is_tried():
    assert {*VALUES, "run", "base"} == set(link.PARAMS)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_writes_the_link_that_it_was_opened_by(page, demo):
    app = App()

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(states(demo.alike[:4]))
    def law(state):
        app.go(page, **state.texts).assert_sound()
        assert app.at.session_state["url:state"] == state
        assert app.link == state.texts
        assert not [text for text in app.said if "not understood" in text]

    law()
