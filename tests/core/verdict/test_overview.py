"""The verdict at a glance: headline, reasons, the objection shown, and the way out of a tie."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.checkpoints.advice import Fate
from lib.core.facts.findings import Severity
from lib.core.facts.runs import RunStatus
from lib.core.verdict.objection_kinds import Sureness
from lib.core.verdict.overview import HeadlineKind, headline, overview_of, way_out
from lib.core.verdict.reasons import REASONS_SHOWN
from tests.core.decided_runs import decided, grounded, run
from tests.core.verdict.test_objections import KEPT, assessed

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
    assert bool(found.mark(named)) == bool(named)
    assert all(run_id in found.title(named) for run_id in named)


def test_the_strongest_objection_is_the_first_of_the_list_and_not_what_the_headline_says():
    alone = overview(run("a"), a=assessed("a", health=[("divergence", Severity.CRITICAL)]))
    assert [each.code for each in alone.objections] == ["winner_health", "alone"]
    assert alone.strongest == alone.objections[0]
    nothing_else = overview(run("a"))
    assert nothing_else.strongest_sentence == nothing_else.objections[0].sentence
    clear = overview(*CLEAR)
    assert (clear.strongest, clear.strongest_sentence) == (None, "none was found.")


def test_the_first_words_say_that_the_training_of_the_first_died():
    dead = assessed("a", health=[("dead_training", Severity.CRITICAL)])
    # The lowest eval loss is that of step 20.
    found = overview(*CLEAR, a=dead).headline
    assert found.title(["A"]) == "A, but its training died at step 5, before its best evaluation"
    assert found.mark(["A"]) == "★ first: A"
    other = overview(*CLEAR, b=dead).headline
    assert (other.title(["A"]), other.mark(["A"])) == ("A", "Recommended")


def test_the_first_words_say_that_the_first_was_never_better_than_before_training():
    worse = headline(decided(*CLEAR, noise=0.001, before={"a": 0.4}), CLEAR)
    assert worse.title(["A"]) == "A, but it was never better than before training"
    better = headline(decided(*CLEAR, noise=0.001, before={"a": 0.6, "b": 0.4}), CLEAR)
    assert better.title(["A"]) == "A"


UNSAVED = replace(KEPT, fate=Fate.CANNOT_TELL)


@pytest.mark.parametrize(
    ("by_run", "start"),
    [
        ({}, "More evaluation data would show whether they differ"),
        ({"b": assessed("b", data=[Severity.CRITICAL])}, "Of these, A is the one without critical findings"),
        ({"a": assessed("a", health=[("divergence", Severity.CRITICAL)])}, "Of these, B is the one without critical"),
        ({"a": assessed("a", checkpoint=UNSAVED)}, "Of these, B is the one whose best checkpoint is known to exist."),
        ({"a": None}, "Of these, B is the one without critical findings"),
        (
            {"a": assessed("a", checkpoint=UNSAVED), "b": assessed("b", checkpoint=UNSAVED)},
            "More evaluation data would show whether they differ",
        ),
    ],
)
def test_the_way_out_of_a_tie_is_what_only_some_of_the_tied_have(by_run, start):
    said = overview(*TIED, noise=0.02, **by_run).way_out
    assert said.startswith(start)
    assert said.endswith("another seed of each would show whether it lasts.")
    assert "prefers" not in said


def test_no_tie_needs_no_way_out_and_equal_scores_are_not_parted_by_noise():
    assert way_out(decided(*CLEAR), {}, {}) == ""
    assert overview(run("a"), run("b")).way_out.startswith("More evaluation data")


def test_the_lowest_loss_is_said_once():
    beyond = overview(run("a", 1.0), run("b", 0.98, train=0.1))
    assert beyond.strongest.code == "lower_loss_beyond_noise"
    assert beyond.lowest_not_first is None
    doubted = overview(run("a", 1.0), run("b", 0.98, train=0.1), a=assessed("a", data=[Severity.CRITICAL]))
    assert doubted.strongest.code == "winner_data"
    assert doubted.lowest_not_first.startswith("B has the lowest eval loss (0.9800), but its gap")
    assert overview(*CLEAR, run("c", 0.1, dataset="x/y")).lowest_not_first is None, (
        "a loss of another class is no lower one"
    )


def test_every_run_but_the_star_has_a_line():
    found = grounded(*CLEAR, run("c", 0.1, dataset="x/y"), run("d", None))
    names = {"b": "b…", "c": "C", "d": "d"}
    assert found.others(names) == ("b…: 30.90, 69.10 points behind.", "d: left out, no eval loss logged.")
    (line,) = found.not_comparable(names)
    assert line.startswith("C: different evaluation data; by ")


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
    has_winner = found.is_recommended
    grounds = found.grounds
    assert 1 <= len(grounds.strongest) <= REASONS_SHOWN
    lines = *grounds.others(grounds.labels), *grounds.not_comparable(grounds.labels)
    assert len(lines) == len(runs) - has_winner
    assert (grounds.leader is None) == has_winner
    assert bool(found.score) == has_winner
    assert (found.surety.level is Sureness.TIE) == (found.headline.kind is HeadlineKind.TIE)
