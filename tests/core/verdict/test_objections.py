"""What speaks against a verdict: each kind of objection by what makes it, and their order."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.checkpoints.advice import CheckpointAdvice, Fate
from lib.core.checkpoints.save_plan import SavePlan
from lib.core.checks.registry import checks_of
from lib.core.checks.results import Results
from lib.core.checks.stability import Stability, Steadiness
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.findings import Finding, Severity
from lib.core.facts.runs import TOLD_COMPLETED, ReadAs, RunStatus, RunSummary
from lib.core.gap.negative_gap import Explanation, NegativeGap
from lib.core.gap.overfitting import GAP_WARNING, Overfitting
from lib.core.ranking.policy import DEFAULT_POLICY
from lib.core.verdict.assessment import Assessment
from lib.core.verdict.objection_kinds import KINDS, Objection, Sureness, cap_of
from lib.core.verdict.objections import NARROW_WEIGHT, objections_to
from tests.core.checked_runs import results_with
from tests.core.decided_runs import decided, grounded, run

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL
NOT_EXPLAINED = Explanation.NOT_EXPLAINED
KEPT = CheckpointAdvice(
    run=run("a"), plan=SavePlan(), step=10, eval_loss=0.5,
    recorded="out/checkpoint-10", path="out/checkpoint-10", saved_step=10, saved_eval_loss=0.5, fate=Fate.KEPT,
)  # fmt: skip


def assessed(run_id, *, health=(), data=(), over=None, checkpoint=KEPT):
    """What is worked out about a run without faults, but for what is given."""
    findings = [Finding(code, severity, 5, None, {}, f"{code} at 5.") for code, severity in health]
    findings += [Finding("c", severity, None, None, {}, "Rows lack.", True) for severity in data]
    return Assessment(
        checks=results_with(findings),
        stability=Stability(Steadiness.STEADY, "", (), None, None),
        overfitting=over or Overfitting(),
        checkpoint=checkpoint,
    )


def negative(explanation):
    found = NegativeGap(explanation, 0.2, "Said.")
    return Overfitting(gap=-0.2, negative=found)


def objections(*runs, policy=DEFAULT_POLICY, noise=0.001, count=30, how=None, **by_run):
    assessments = {each.run_id: by_run.get(each.run_id, assessed(each.run_id)) for each in runs}
    return objections_to(grounded(*runs, policy=policy, noise=noise, count=count, **(how or {})), runs, assessments)


def codes(*runs, **named):
    return [objection.code for objection in objections(*runs, **named)]


def risen(run_id, best):
    """A run whose eval loss ended above this best one, of step 5."""
    known = assessed(run_id, health=[("eval_rebound", WARNING)])
    (result,) = known.checks.results
    finding = replace(result.findings[0], evidence={"best": best, "end": 1.0})
    return replace(known, checks=Results((replace(result, findings=(finding,)),)))


BY_F1 = {"further": {"a": {"eval_f1": (0.1, 0.7)}, "b": {"eval_f1": (0.1, 0.4)}}, "by": "eval_f1"}


def by_score(metric, **ends):
    """That a metric decides which goes from the first to the last of these values."""
    return {"further": {run_id: {metric: values} for run_id, values in ends.items()}, "by": metric}


HALF = replace(DEFAULT_POLICY, eval_weight=0.5)
CLEAR = run("a", 0.5), run("b", 0.8)
"""Two runs that compare in everything; the first is far ahead."""


def test_a_clear_winner_without_faults_has_no_objections():
    assert codes(*CLEAR) == []
    assert codes() == []
    assert codes(run("a", None, RunStatus.QUEUED)) == []


@pytest.mark.parametrize(
    ("expected", "runs", "named"),
    [
        ("no_common_ranking", (run("a"), run("b", dataset="x/y")), {}),
        ("scales_unlike", CLEAR, {"how": by_score("eval_accuracy", a=(54.0, 90.0), b=(0.56, 0.92))}),
        ("alone", (run("a"),), {}),
        ("unread", CLEAR, {"a": None}),
        ("unread", CLEAR, {"b": None}),
        ("winner_data", CLEAR, {"a": assessed("a", data=[WARNING, CRITICAL])}),
        ("winner_doubts", CLEAR, {"a": assessed("a", data=[WARNING])}),
        ("rival_data", CLEAR, {"b": assessed("b", data=[CRITICAL])}),
        ("rival_doubts", CLEAR, {"b": assessed("b", data=[WARNING])}),
        ("winner_health", CLEAR, {"a": assessed("a", health=[("divergence", CRITICAL)])}),
        ("winner_died", CLEAR, {"a": assessed("a", health=[("dead_training", CRITICAL)])}),
        ("winner_warnings", CLEAR, {"a": assessed("a", health=[("gradient_spike", WARNING)])}),
        ("overfitting", CLEAR, {"a": assessed("a", health=[("eval_rebound", WARNING)])}),
        ("overfitting", CLEAR, {"a": assessed("a", over=Overfitting(gap=GAP_WARNING + 0.01))}),
        ("loss_risen", CLEAR, {"a": risen("a", 0.3), "how": BY_F1}),
        ("overfitting", CLEAR, {"a": risen("a", 0.4), "how": BY_F1}),
        ("overfitting", CLEAR, {"a": risen("a", 0.3)}),
        ("leakage", CLEAR, {"a": assessed("a", over=negative(Explanation.NOT_EXPLAINED))}),
        ("negative_gap_open", CLEAR, {"a": assessed("a", over=negative(Explanation.CANNOT_TELL))}),
        ("losses_unlike", (run("a", dataset=...), run("b", 0.8)), {}),
        ("comparability_open", (run("a", 0.5, completion_only_loss=...), run("b", 0.8)), {}),
        ("comparability_caution", (run("a", 0.5, max_length=512), run("b", 0.8)), {}),
        ("tie", (run("a", 0.5), run("b", 0.501)), {"noise": 0.02}),
        ("tie", (run("a", 0.5), run("b", 0.5)), {}),
        ("noise_unknown", CLEAR, {"count": 2}),
        ("few_evaluations", CLEAR, {"count": 4}),
        ("lower_loss_beyond_noise", (run("a", 1.0), run("b", 0.98, train=0.1)), {}),
        ("lower_loss", (run("a", 0.5), run("b", 0.499, train=0.1)), {"noise": 0.02}),
        ("rival_ahead", (*CLEAR, run("c", 0.4, RunStatus.RUNNING)), {}),
        ("may_overtake", (*CLEAR, run("c", 0.7, RunStatus.RUNNING)), {}),
        ("checkpoint_missing", CLEAR, {"a": assessed("a", checkpoint=replace(KEPT, fate=Fate.DELETED))}),
        ("narrow_weights", (run("a", 1.0), run("b", 0.965, train=0.7)), {}),
        ("gap_error_unknown", CLEAR, {"how": {"train": False}}),
        ("unchecked", CLEAR, {"a": replace(assessed("a"), checks=checks_of(run("a"), RunCurves("a")))}),
        ("told_completed", (replace(CLEAR[0], raw_status=TOLD_COMPLETED), CLEAR[1]), {}),
        ("guessed", (replace(CLEAR[0], read_as=(ReadAs("valid_ce", "eval_loss", guessed=True),)), CLEAR[1]), {}),
        ("never_better", CLEAR, {"how": {"before": {"a": 0.4}}}),
        ("task_metric", CLEAR, {"how": {"further": {"a": {"eval_f1": (0.1, 0.4)}, "b": {"eval_f1": (0.1, 0.7)}}}}),
        ("other_metric", CLEAR, {"how": {"further": {"a": {"eval_f1": (0.1, 0.4)}, "b": {"eval_f1": (0.1, 0.7)}},
                                         "by": "eval_f1"}}),
    ],
)  # fmt: skip
def test_each_kind_has_its_cause(expected, runs, named):
    found = objections(*runs, **named)
    assert expected in [objection.code for objection in found]
    objection = next(objection for objection in found if objection.code == expected)
    assert objection.sentence.endswith((".", ")"))
    assert objection.title == KINDS[objection.rank].title


def test_a_guess_matters_where_the_ranking_rests_on_it():
    def of(name, *read_as):
        return replace(run(name, {"a": 0.5, "b": 0.8}[name]), read_as=read_as)

    sure, guess = ReadAs("val", "eval_loss"), ReadAs("valid_ce", "eval_loss", guessed=True)
    beside = ReadAs("grads", "grad_norm", guessed=True)
    train = ReadAs("ce", "train_loss", guessed=True)
    assert "guessed" not in codes(of("a", sure, beside), of("b", sure))
    (own,) = objections(of("a", guess), of("b", sure))
    assert own.sentence == 'Its eval loss is read from "valid_ce", which is a guess.'
    (theirs,) = objections(of("a", sure), of("b", train))
    assert theirs.sentence == 'The train loss of b is read from "ce", which is a guess.'
    (many,) = objections(of("a", train, guess), of("b", guess))
    assert many.sentence == 'Its eval loss is read from "valid_ce", which is a guess. And 2 more.'
    assert cap_of("guessed") is Sureness.FAIRLY_SURE


def test_scores_in_percent_do_not_compare_with_shares_and_nobody_is_sure_then():
    (found,) = objections(*CLEAR, how=by_score("eval_accuracy", a=(54.0, 90.0), b=(0.56, 0.92)))
    assert found.sentence == (
        "The accuracy of a may be in percent, that of b a share of 1: their values do not compare."
    )
    assert cap_of(found.code) is Sureness.UNSURE
    assert "scales_unlike" in codes(*CLEAR, how=by_score("eval_wer", a=(0.9, 0.1), b=(80.0, 12.0)))


@pytest.mark.parametrize(
    ("metric", "first", "second"),
    [
        ("eval_accuracy", (0.5, 0.9), (0.4, 0.8)),
        ("eval_accuracy", (54.0, 90.0), (56.0, 92.0)),
        # No share of 1 is below 0, and no percentage above 100.
        ("eval_mcc", (-0.2, 0.9), (20.0, 80.0)),
        ("eval_accuracy", (0.5, 0.9), (100.0, 900.0)),
        # An error rate above 1 before training, an early evaluation in percent below 1.
        ("eval_wer", (0.9, 0.1), (1.8, 0.2)),
        ("eval_accuracy", (0.5, 60.0), (2.0, 70.0)),
        # Of no fixed range.
        ("eval_reward", (0.1, 0.9), (0.2, 3.0)),
        ("eval_mae", (0.9, 0.8), (3.0, 2.0)),
        ("eval_perplexity", (1.0, 1.0), (9.0, 2.0)),
    ],
)
def test_scores_of_one_scale_or_of_none_are_not_said_to_be_unlike(metric, first, second):
    assert "scales_unlike" not in codes(*CLEAR, how=by_score(metric, a=first, b=second))


def test_a_metric_that_says_otherwise_is_named_with_both_values_and_is_the_strongest():
    how = {"further": {"a": {"eval_f1": (0.1, 0.4)}, "b": {"eval_f1": (0.1, 0.7)}}}
    found = objections(*CLEAR, how=how, a=assessed("a", data=[CRITICAL]))
    assert found[0].code == "task_metric"
    assert found[0].sentence == "By F1, b is better beyond the noise: 0.7000 against its 0.4000."


def test_no_kind_is_without_a_cause_here():
    causes = next(mark for mark in test_each_kind_has_its_cause.pytestmark if mark.name == "parametrize").args[1]
    assert {kind.code for kind in KINDS} == {code for code, *_ in causes}


@pytest.mark.parametrize(
    ("absent", "runs", "named"),
    [
        ("overfitting", CLEAR, {"a": assessed("a", over=Overfitting(gap=GAP_WARNING))}),
        ("leakage", CLEAR, {"a": assessed("a", over=negative(Explanation.EXPLAINED))}),
        ("negative_gap_open", CLEAR, {"a": assessed("a", over=negative(Explanation.EXPLAINED))}),
        ("winner_health", CLEAR, {"b": assessed("b", health=[("divergence", CRITICAL)])}),
        ("winner_doubts", CLEAR, {"a": assessed("a", data=[Severity.INFO])}),
        ("rival_data", (*CLEAR, run("c", 1.5)), {"c": assessed("c", data=[CRITICAL])}),
        ("checkpoint_missing", CLEAR, {"a": assessed("a", checkpoint=replace(KEPT, fate=Fate.CANNOT_TELL))}),
        ("rival_ahead", (*CLEAR, run("c", 0.4, RunStatus.RUNNING, dataset="x/y")), {}),
        ("may_overtake", (*CLEAR, run("c", 0.7, RunStatus.FAILED)), {}),
        ("lower_loss", (*CLEAR, run("c", 0.4, RunStatus.RUNNING, dataset="x/y")), {}),
        ("alone", (run("a"), run("b", dataset="x/y")), {}),
        ("narrow_weights", (run("a", 1.0), run("b", 0.965, train=0.7)), {"policy": HALF}),
    ],
)  # fmt: skip
def test_what_is_near_a_cause_is_none(absent, runs, named):
    assert absent not in codes(*runs, **named)


def test_narrow_is_measured_from_the_end_of_the_interval():
    runs = run("a", 1.0), run("b", 0.965, train=0.7)
    end = decided(*runs).flip.interval.high
    near, far = (replace(DEFAULT_POLICY, eval_weight=end - share * NARROW_WEIGHT) for share in (0.99, 1.01))
    assert "narrow_weights" in codes(*runs, policy=near)
    assert "narrow_weights" not in codes(*runs, policy=far)


def test_the_strongest_stand_first_and_every_kind_has_one_place():
    everything = assessed("a", health=[("divergence", CRITICAL), ("x", WARNING)], data=[CRITICAL])
    found = objections(*CLEAR, run("c", 0.4, RunStatus.RUNNING), a=everything)
    assert [objection.rank for objection in found] == sorted(objection.rank for objection in found)
    assert [objection.code for objection in found][:2] == ["winner_data", "winner_health"]
    assert len({kind.code for kind in KINDS}) == len(KINDS)
    assert [Objection(kind.code, "").rank for kind in KINDS] == list(range(len(KINDS)))


def test_what_a_training_that_died_logged_is_no_sign_of_leakage_or_overfitting():
    found = objections(
        *CLEAR,
        a=assessed("a", health=[("dead_training", CRITICAL), ("eval_rebound", WARNING)], over=negative(NOT_EXPLAINED)),
    )
    assert [objection.code for objection in found] == ["winner_died"]
    other = codes(*CLEAR, a=assessed("a", health=[("divergence", CRITICAL)], over=negative(NOT_EXPLAINED)))
    assert other == ["winner_health", "leakage"]


def test_a_finding_about_the_training_that_touches_the_values_is_said_once():
    for code, severity, expected in (
        ("nonfinite_value", CRITICAL, "winner_health"),
        ("identical_evaluations", WARNING, "winner_doubts"),
    ):
        known = assessed("a", health=[(code, severity)])
        (result,) = known.checks.results
        touching = replace(result, findings=(replace(result.findings[0], touches_verdict=True),))
        assert codes(*CLEAR, a=replace(known, checks=Results((touching,)))) == [expected]


def test_that_its_training_died_stands_before_everything_else():
    alone = assessed("a", health=[("nonfinite_value", CRITICAL)], data=[CRITICAL], over=negative(NOT_EXPLAINED))
    # Its lowest eval loss is that of step 20.
    for lost, expected in (
        (5, ["winner_died", "winner_data"]),
        (300, ["winner_died", "winner_data", "leakage"]),
        (None, ["winner_data", "winner_health", "leakage"]),
    ):
        assert codes(*CLEAR, a=replace(alone, lost_from=lost)) == expected


some_run = st.tuples(
    st.sampled_from([None, 0.0, 0.3, 0.31, 0.6]),
    st.sampled_from([None, 0.0, 0.3, 0.9]),
    st.sampled_from(list(RunStatus)),
    st.sampled_from(["tatsu-lab/alpaca", "x/y", ...]),
    st.booleans(),
)


@given(st.lists(some_run, max_size=5), st.sampled_from([0.0, 0.7, 1.0]))
@settings(deadline=None, max_examples=40)
def test_any_selection_has_objections_that_do_not_depend_on_its_order(cases, weight):
    runs: list[RunSummary] = [
        run(str(number), loss, status, train, dataset=dataset)
        for number, (loss, train, status, dataset, _) in enumerate(cases)
    ]
    unread = {str(number): None for number, case in enumerate(cases) if case[-1]}
    policy = replace(DEFAULT_POLICY, eval_weight=weight)
    found = objections(*runs, policy=policy, **unread)
    assert all(objection.sentence for objection in found)
    again = objections(*reversed(runs), policy=policy, **unread)
    # Runs that share the lowest eval loss are named in the order shown.
    assert [each.code for each in found] == [each.code for each in again]


def test_an_eval_loss_that_rose_by_half_is_what_should_worry_most_where_another_metric_decides():
    found = objections(
        run("a", 0.5, dataset=...), run("b", 0.8), how=BY_F1, a=risen("a", 0.3), b=assessed("b", data=[WARNING])
    )
    assert [each.code for each in found][:2] == ["loss_risen", "losses_unlike"]
    said = r"At the checkpoint to ship the eval loss of a is 67% above its lowest: 0\.50* against 0\.3 at step 5\."
    assert re.fullmatch(said, found[0].sentence)
    assert "overfitting" not in [each.code for each in found], "it is said once"


def test_what_is_known_to_be_wrong_stands_before_what_is_not_known_and_that_before_choices():
    place = {kind.code: at for at, kind in enumerate(KINDS)}
    known = "winner_data", "winner_health", "never_better", "loss_risen", "checkpoint_missing"
    unknown = "losses_unlike", "few_evaluations", "gap_error_unknown", "unchecked"
    assert max(place[code] for code in known) < min(place[code] for code in unknown)
    assert max(place[code] for code in unknown) < place["narrow_weights"] < place["overfitting"]
