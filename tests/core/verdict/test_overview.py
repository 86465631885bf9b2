"""What a verdict comes to: who is named first, and the objection that is shown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.facts.findings import Severity
from lib.core.facts.runs import RunStatus
from lib.core.verdict.objection_kinds import Sureness
from lib.core.verdict.overview import HeadlineKind, headline, overview_of
from tests.core.decided_runs import decided, grounded, run
from tests.core.verdict.test_objections import assessed

CLEAR = run("a", 0.5), run("b", 0.8)
TIED = run("a", 0.5), run("b", 0.501)


def overview(*runs, noise=0.001, **by_run):
    assessments = {each.run_id: by_run.get(each.run_id, assessed(each.run_id)) for each in runs}
    labels = {each.run_id: each.run_id.upper() for each in runs}
    return overview_of(grounded(*runs, labels=labels, noise=noise), runs, assessments)


@pytest.mark.parametrize(
    ("runs", "noise", "kind", "named"),
    [
        (CLEAR, 0.001, HeadlineKind.WINNER, ("a",)),
        (CLEAR[:1], 0.001, HeadlineKind.WINNER, ("a",)),
        (TIED, 0.02, HeadlineKind.TIE, ("a", "b")),
        ((*CLEAR, run("c", 0.1, dataset="x/y")), 0.001, HeadlineKind.WINNER, ("a",)),
        ((run("a"), run("b", 0.1, dataset="x/y")), 0.001, HeadlineKind.NOT_COMPARABLE, ("a", "b")),
        ((run("a", 0.5, RunStatus.FAILED),), 0.001, HeadlineKind.NONE, ()),
        ((run("a", 0.5, RunStatus.FAILED), run("b", 0.5, RunStatus.QUEUED)), 0.001, HeadlineKind.NONE_YET, ()),
        ((), 0.001, HeadlineKind.NONE, ()),
    ],
)
def test_the_headline_names_the_star_first(runs, noise, kind, named):
    found = headline(decided(*runs, noise=noise), runs)
    assert (found.kind, found.run_ids) == (kind, named)


def test_the_strongest_objection_is_the_first_of_the_list_and_not_what_the_headline_says():
    alone = overview(run("a"), a=assessed("a", health=[("divergence", Severity.CRITICAL)]))
    assert [each.code for each in alone.objections] == ["winner_health", "alone"]
    assert alone.strongest == alone.objections[0]
    assert overview(run("a")).strongest is None
    assert overview(*TIED, noise=0.02).strongest is None
    assert overview(*CLEAR).strongest is None


def test_a_caveat_says_that_the_training_of_the_first_died():
    dead = assessed("a", health=[("dead_training", Severity.CRITICAL)])
    # The lowest eval loss is that of step 20.
    assert overview(*CLEAR, a=dead).headline.caveat == "its training died at step 5, before its best evaluation"
    assert overview(*CLEAR, b=dead).headline.caveat == ""
    lost = replace(assessed("a", health=[("nonfinite_value", Severity.CRITICAL)]), lost_from=300)
    assert overview(*CLEAR, a=lost).headline.caveat == "its training died at step 300"


def test_a_caveat_says_that_the_first_was_never_better_than_before_training():
    worse = headline(decided(*CLEAR, noise=0.001, before={"a": 0.4}), CLEAR)
    assert worse.caveat == "it was never better than before training"
    assert headline(decided(*CLEAR, noise=0.001, before={"a": 0.6, "b": 0.4}), CLEAR).caveat == ""


def test_the_strongest_is_shown_whatever_it_is():
    beyond = overview(run("a", 1.0), run("b", 0.98, train=0.1))
    assert beyond.strongest.code == "lower_loss_beyond_noise"
    doubted = overview(run("a", 1.0), run("b", 0.98, train=0.1), a=assessed("a", data=[Severity.CRITICAL]))
    assert doubted.strongest.code == "winner_data"


some_run = st.tuples(
    st.sampled_from([None, 0.0, 0.3, 0.31, 0.6]),
    st.sampled_from(list(RunStatus)),
    st.sampled_from(["tatsu-lab/alpaca", "x/y", ...]),
)


@given(st.lists(some_run, max_size=5))
@settings(deadline=None, max_examples=30)
def test_any_selection_has_an_overview(cases):
    runs = [run(str(number), loss, status, dataset=dataset) for number, (loss, status, dataset) in enumerate(cases)]
    found = overview(*runs)
    assert (found.grounds.leader is None) == found.is_recommended
    assert (found.surety.level is Sureness.TIE) == (found.headline.kind is HeadlineKind.TIE)
