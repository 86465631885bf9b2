"""What the panel says first: headline, reasons, the objection shown, the checkpoint, and the way out of a tie."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.checkpoints.advice import CheckpointAdvice, Fate
from lib.core.facts.findings import Severity
from lib.core.facts.runs import RunStatus
from lib.core.ranking.scoring import DEFAULT_POLICY
from lib.core.verdict.objection_kinds import Objection
from lib.core.verdict.panel import (
    REASONS_SHOWN,
    HeadlineKind,
    checkpoint_line,
    headline,
    panel_of,
    strongest_objection,
    strongest_reasons,
    way_out,
)
from lib.core.verdict.summary import SummaryInput
from lib.core.verdict.sureness import Sureness, Surety
from tests.core.decided_runs import decided, run
from tests.core.verdict.test_objections import KEPT, judged

CLEAR = run("a", 0.5), run("b", 0.8)
TIED = run("a", 0.5), run("b", 0.501)


def panel(*runs, names=None, noise=0.001, **by_run):
    decision = decided(*runs, noise=noise)
    judgements = {each.run_id: by_run.get(each.run_id, judged(each.run_id)) for each in runs}
    labels = {each.run_id: each.run_id.upper() for each in runs}
    rows = [SummaryInput(run=each, label=labels[each.run_id]) for each in runs]
    return panel_of(decision, rows, judgements, labels, names)


@pytest.mark.parametrize(
    ("runs", "noise", "kind", "named"),
    [
        (CLEAR, 0.001, HeadlineKind.WINNER, ("a",)),
        (CLEAR[:1], 0.001, HeadlineKind.WINNER, ("a",)),
        (TIED, 0.02, HeadlineKind.TIE, ("a", "b")),
        ((*CLEAR, run("c", 0.1, dataset="x/y")), 0.001, HeadlineKind.WINNER, ("a",)),
        ((run("a"), run("b", 0.1, dataset="x/y")), 0.001, HeadlineKind.APART, ("b", "a")),
        ((run("a", 0.5, RunStatus.FAILED),), 0.001, HeadlineKind.NONE, ()),
        ((), 0.001, HeadlineKind.NONE, ()),
    ],
)
def test_the_headline_names_the_star_first(runs, noise, kind, named):
    found = headline(decided(*runs, noise=noise))
    assert (found.kind, found.run_ids) == (kind, named)


def reason_codes(*runs, policy=DEFAULT_POLICY):
    decision = decided(*runs, policy=policy)
    by_text = {str(reason): reason.code for reason in decision.recommendation.reasons}
    return [by_text[text] for text in strongest_reasons(decision)]


@pytest.mark.parametrize(
    ("runs", "codes"),
    [
        # The eval loss leads, the gaps are level in the best band.
        (CLEAR, ["eval_loss", "gap", "margin"]),
        # The gap leads by more points than the eval loss.
        ((run("a", 0.5), run("b", 0.55, train=0.1)), ["gap", "eval_loss", "margin"]),
        # Behind in eval loss: that is no reason.
        ((run("a", 0.5), run("b", 0.45, train=0.1)), ["gap", "margin", "would_change"]),
        # Behind in the gap.
        ((run("a", 0.1, train=0.05), run("b", 0.9)), ["eval_loss", "margin", "would_change"]),
        # Level in a poor band.
        ((run("a", 0.5, train=0.0), run("b", 0.8, train=0.0)), ["eval_loss", "margin", "would_change"]),
        ((run("a", 0.5), run("b", 0.5)), ["eval_loss", "gap", "tie"]),
        (CLEAR[:1], ["eval_loss", "gap", "no_competition"]),
        ((run("a", None),), ["none_eligible"]),
    ],
)
def test_reasons_speak_for_the_run_and_the_strongest_comes_first(runs, codes):
    assert reason_codes(*runs) == codes


def test_the_only_run_of_its_class_does_not_claim_to_be_the_only_one():
    reasons = strongest_reasons(decided(run("a"), run("b", 0.1, dataset="x/y")))
    assert reasons[-1] == "It is the best of its own class of comparable runs, and the only one in it."


def test_the_objection_shown_is_one_that_the_headline_does_not_say():
    tie, leak = Objection("tie", "T."), Objection("leakage", "L.")
    assert strongest_objection([leak, tie], Surety(Sureness.TIE, "", ("tie",))) == leak
    assert strongest_objection([tie], Surety(Sureness.TIE, "", ("tie",))) is None
    assert strongest_objection([], Surety(Sureness.SURE, "")) is None
    assert strongest_objection([leak], Surety(Sureness.UNSURE, "", ("leakage",))) == leak


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "out/checkpoint-10 (best evaluation, step 10)"),
        ({"path": None}, "step 10 (best evaluation, step 10)"),
        (
            {"exact": False, "fate": Fate.DELETED, "path": "out/checkpoint-8", "path_step": 8, "saved_step": 8,
             "saved_eval_loss": 0.51},
            "best evaluation at step 10, whose checkpoint is gone; the nearest is out/checkpoint-8, eval loss 0.5100",
        ),
        (
            {"exact": False, "fate": Fate.NEVER_SAVED, "path": None, "path_step": None, "saved_step": None},
            "best evaluation at step 10, whose checkpoint is never saved; no other is certain to exist",
        ),
        (
            {"exact": False, "fate": Fate.CANNOT_TELL, "path": "out/best", "path_step": None, "saved_step": None},
            "best evaluation at step 10; whether its checkpoint exists cannot be told; the trainer kept out/best",
        ),
        (
            {"exact": False, "fate": Fate.CANNOT_TELL, "path": None, "path_step": None, "saved_step": 8},
            "best evaluation at step 10; certain to exist is the one of step 8",
        ),
        (
            {"exact": False, "eval_loss": None, "path": None},
            "cannot tell, because the best evaluation is not recorded",
        ),
    ],
)  # fmt: skip
def test_the_checkpoint_is_said_in_a_line(changes, said):
    assert checkpoint_line(replace(KEPT, **changes)) == said


def test_a_long_path_keeps_its_end():
    advice: CheckpointAdvice = replace(KEPT, path=f"outputs/{'x' * 80}/checkpoint-10")
    assert "/checkpoint-10 " in checkpoint_line(advice)
    assert len(checkpoint_line(advice)) < 90


UNSAVED = replace(KEPT, exact=False, fate=Fate.CANNOT_TELL)


@pytest.mark.parametrize(
    ("by_run", "start"),
    [
        ({}, "Nothing recorded prefers one."),
        ({"b": judged("b", data=[Severity.CRITICAL])}, "Of these, A is the one without critical findings"),
        ({"a": judged("a", health=[("divergence", Severity.CRITICAL)])}, "Of these, B is the one without critical"),
        ({"a": judged("a", checkpoint=UNSAVED)}, "Of these, B is the one whose best checkpoint is known to exist."),
        ({"a": None}, "Of these, B is the one without critical findings"),
        (
            {"a": judged("a", checkpoint=UNSAVED), "b": judged("b", checkpoint=UNSAVED)},
            "Nothing recorded prefers one.",
        ),
    ],
)
def test_the_way_out_of_a_tie_is_what_only_some_of_the_tied_have(by_run, start):
    said = panel(*TIED, noise=0.02, **by_run).way_out
    assert said.startswith(start)
    assert said.endswith("Other seeds, or more evaluation data, would part them.")


def test_no_tie_needs_no_way_out_and_equal_scores_are_not_parted_by_noise():
    assert way_out(decided(*CLEAR), {}, {}) == ""
    assert panel(run("a"), run("b")).way_out.count(".") == 2


def test_the_trophy_is_said_once():
    beyond = panel(run("a", 0.5), run("b", 0.45, train=0.1))
    assert beyond.strongest.code == "lower_loss_beyond_noise"
    assert beyond.trophy is None
    doubted = panel(run("a", 0.5), run("b", 0.45, train=0.1), a=judged("a", data=[Severity.CRITICAL]))
    assert doubted.strongest.code == "winner_data"
    assert doubted.trophy.startswith("B has the lowest eval loss (0.4500), but its gap")
    assert panel(*CLEAR, run("c", 0.1, dataset="x/y")).trophy is None, "a loss of another class is no lower one"


def test_every_run_but_the_star_has_a_line():
    found = panel(*CLEAR, run("c", 0.1, dataset="x/y"), run("d", None), names={"b": "b…", "c": "C", "d": "d"})
    assert found.others == ("b…: 61.45, 11.00 points behind.", "d: left out, no eval loss logged.")
    (line,) = found.apart
    assert line.startswith("C: different evaluation data; by ")


some_run = st.tuples(
    st.sampled_from([None, 0.0, 0.3, 0.31, 0.6]),
    st.sampled_from(list(RunStatus)),
    st.sampled_from(["tatsu-lab/alpaca", "x/y", ...]),
)


@given(st.lists(some_run, max_size=5))
@settings(deadline=None, max_examples=30)
def test_any_selection_has_a_panel(cases):
    runs = [run(str(number), loss, status, dataset=dataset) for number, (loss, status, dataset) in enumerate(cases)]
    found = panel(*runs)
    has_winner = found.headline.kind is not HeadlineKind.NONE
    assert 1 <= len(found.reasons) <= REASONS_SHOWN
    assert len(found.others) + len(found.apart) == len(runs) - has_winner
    assert (found.leader is None) == has_winner
    assert (found.surety.level is Sureness.TIE) == (found.headline.kind is HeadlineKind.TIE)
