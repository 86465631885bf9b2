"""Charts beside a baseline: curves drawn as differences to it, and what tooltips say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.text.precision import MINUS
from lib.ui.charts.chart import make
from lib.ui.charts.request import ChartRequest, ChartRun, CurvesKey, ToBaseline, Told
from lib.ui.session import link
from lib.ui.session.link import LinkState
from tests.charts_sent import unpacked
from tests.ui.charts.test_request import OnAxis

NO_STATE = LinkState()
STEPS = np.array([10, 20, 30, 40])
BASE, OTHER = CurvesKey("base"), CurvesKey("other")


def curve(values, steps=STEPS):
    steps = np.asarray(steps)
    return complete_curve(steps, np.array(values), np.full(len(steps), np.nan), steps * 60.0)


def chart(other, base=(4.0, 3.0, 2.0, 1.0), *, is_drawn=True, apart="", within=0.2, state=NO_STATE, **how):
    """The chart of one metric of two runs, as it is sent."""
    metric = how.pop("metric", "eval_loss")
    runs = ChartRun(BASE, "the base", 0, 40), ChartRun(OTHER, "the other", 1, 40)
    told = (Told(BASE, metric, "", "lower", None), Told(OTHER, metric, apart, "lower", within))
    against = ToBaseline(BASE, "the base", told, is_drawn)
    request = ChartRequest("loss", "Loss", (metric,), runs, state, True, better="lower", against=against)
    found = {}
    for key, values in ((BASE, base), (OTHER, other)):
        made = values if hasattr(values, "step") else curve(values)
        found[key] = OnAxis(RunCurves(key.run, {metric: made} if len(made) else {}))
    return unpacked(make(replace(request, **how), found).sent)[0]


def lines(sent, number):
    table = sent.tables["lines"]
    of = np.array(table["curve"]) == number
    return dict(zip(np.asarray(table["x"])[of].tolist(), np.asarray(table["y"])[of].tolist(), strict=True))


def test_curves_are_differences_at_their_own_points_and_the_baseline_is_zero():
    sent = chart([4.5, 2.5, 2.0, 0.5])
    assert lines(sent, 0) == dict.fromkeys(STEPS.tolist(), 0.0)
    assert lines(sent, 1) == {10.0: 0.5, 20.0: -0.5, 30.0: 0.0, 40.0: -0.5}
    assert sent.head["title"] == "Loss - difference to the base"
    assert sent.head["minus"] is True
    assert [each["last"] for each in sent.head["curves"]] == ["0.0", f"{MINUS}0.5"]
    assert "difference to the base" in sent.head["alt"]


def test_beyond_the_baseline_there_is_none_and_it_is_said():
    sent = chart(curve([9.0, 3.5, 1.5, 0.0], [5, 15, 35, 45]))
    assert lines(sent, 1) == {15.0: 0.0, 35.0: 0.0}
    assert sent.head["said"] == "2 points beyond the baseline's range are not shown"
    assert list(sent.tables["best"]["curve"]) == [0], "its best lies beyond"


def test_what_is_no_number_in_either_is_marked_and_no_line_goes_there():
    sent = chart([4.5, np.nan, 2.0, 0.5], [4.0, 3.0, np.inf, 1.0])
    assert lines(sent, 1) == {10.0: 0.5, 40.0: -0.5}
    marked = zip(sent.tables["nonfinite"]["x"], sent.tables["nonfinite"]["curve"], strict=True)
    assert sorted(marked) == [(20.0, 1), (30.0, 0), (30.0, 1)]


def test_a_run_that_does_not_compare_is_left_out_with_the_reason():
    sent = chart([4.5, 2.5, 2.0, 0.5], apart="different evaluation data")
    assert len(sent.head["curves"]) == 1
    assert sent.head["said"] == "no difference for the other: different evaluation data"
    plain = chart([4.5, 2.5, 2.0, 0.5], is_drawn=False, apart="different evaluation data")
    assert len(plain.head["curves"]) == 2
    assert set(plain.tables["against"]["1"]) == {""}


def test_a_log_axis_gives_way_and_the_chosen_axis_counts():
    sent = chart([4.5, 2.5, 2.0, 0.5], state=LinkState().having(link.LOG_Y, True))
    assert sent.head["log"] is False
    assert min(lines(sent, 1).values()) == -0.5
    assert chart([4.5, 2.5, 2.0, 0.5], is_drawn=False, state=LinkState().having(link.LOG_Y, True)).head["log"] is True


def test_tooltips_say_the_difference_its_share_and_what_it_means():
    sent = chart([4.5, 2.9, 2.0, 0.5], is_drawn=False)
    assert lines(sent, 1)[10.0] == 4.5
    at = [list(sent.tables["hover"]["Step"]).index(step) for step in STEPS]
    texts = [sent.tables["against"]["1"][place] for place in at]
    assert texts == ["+0.5 (+12%) worse", f"{MINUS}0.1 ({MINUS}3.3%) level", "same", f"{MINUS}0.5 ({MINUS}50%) better"]
    assert set(sent.tables["against"]["0"]) == {""}


def test_where_the_noise_is_not_known_nothing_is_better():
    texts = chart([4.5, 2.9, 2.0, 0.5], is_drawn=False, within=None).tables["against"]["1"]
    assert not [text for text in texts if text.endswith(("better", "worse", "level"))]


def test_a_learning_rate_has_no_percentage():
    sent = chart([3e-4, 2e-4, 1e-4, 0.0], [1e-4, 1e-4, 1e-4, 1e-4], metric="learning_rate", is_drawn=False, within=None)
    assert sent.tables["against"]["1"][0] == "+2e-4"


def test_smoothing_is_of_the_difference_and_the_raw_one_stays_behind():
    rng = np.random.default_rng(3)
    base, other = rng.normal(2.0, 0.1, 40), rng.normal(2.0, 0.1, 40)
    other[17] = 50.0
    steps = np.arange(1, 41)
    state = LinkState().having(link.SMOOTHING, 0.9)
    sent = chart(curve(other, steps), curve(base, steps), metric="train_loss", state=state)
    table = sent.tables["lines"]
    faint = (np.array(table["curve"]) == 1) & (np.array(table["faint"]) == 1)
    assert np.asarray(table["y"])[faint].max() == pytest.approx(50.0 - base[17])


def test_outliers_never_leave_the_baseline_out():
    rng = np.random.default_rng(3)
    steps = np.arange(1, 401)
    far = curve(100.0 + rng.normal(0.0, 1.0, 400), steps)
    sent = chart(far, curve([1.0, 1.0], [1, 400]), metric="train_loss")
    low, high = sent.head["bounds"]["train"][:2]
    assert low <= 0.0 <= high
