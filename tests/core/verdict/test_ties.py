"""What is said about winner or tie."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.glance.lines import to_decide
from lib.core.noise.pairs import Basis
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY
from lib.core.text.sentences import plain
from lib.core.verdict.ties import (
    covers,
    lead_sentence,
    lowest_sentence,
    noise_words,
    rests_on,
    unknown_noise,
    why_in_best_set,
)
from tests.core.decided_runs import curves_by_id, decided, run
from tests.core.ranking.test_standing import seeded

LABELS = {run_id: f"run {run_id.upper()}" for run_id in "abc"}
CLEAR = run("a", 0.5), run("b", 0.8)


def test_a_clear_lead_is_beyond_the_noise_and_what_that_covers_is_said():
    decision = decided(*CLEAR)
    lead, lowest = lead_sentence(decision, LABELS), lowest_sentence(decision, LABELS)
    assert lead == f"The lead of 69.10 points is beyond the noise, up to {noise_words(decision)} (90% level)."
    assert lowest == "run A has the lowest eval loss beyond the noise (90% level)."
    assert "another seed" in covers(decision.contest, decision.lead.bases)
    assert why_in_best_set(decision.contest, "a", LABELS) == "May be the best."
    assert why_in_best_set(decision.contest, "b", LABELS) == "Not the best: run A is better, beyond the noise."


def test_a_tie_names_its_members():
    decision = decided(run("a", 0.5), run("b", 0.501), run("c", 1.9), noise=0.02)
    lead = lead_sentence(decision, LABELS)
    assert f"is within the noise, up to {noise_words(decision)}: run B may be as good." in lead
    assert lowest_sentence(decision, LABELS).startswith("run A and run B cannot be told apart (90%")


def test_the_noise_is_one_number_and_has_the_digits_of_what_it_is_of():
    assert re.fullmatch(r"\d+\.\d points", noise_words(decided(*CLEAR)))
    scores = {"a": {"eval_f1": (0.1, 0.7)}, "b": {"eval_f1": (0.1, 0.4)}}
    assert re.fullmatch(r"0(\.0*[1-9]\d?)?|\d\.\de-\d+", noise_words(decided(*CLEAR, further=scores, by="eval_f1")))
    assert noise_words(decided(*CLEAR, count=2)) == ""


def test_more_evaluation_data_is_said_to_help_wherever_the_noise_is_explained():
    decision = decided(run("a", 0.5), run("b", 0.501), noise=0.02)
    said = covers(decision.contest, decision.lead.bases)
    assert "More evaluation data makes it smaller." in said
    assert "More evaluation data" in plain(to_decide(decision, {}, LABELS))


def test_a_tie_for_what_the_gaps_may_hide_says_so():
    runs = run("a", 1.0, train=0.952), run("b", 1.01, train=0.962)
    curves = curves_by_id(runs)
    scatter = np.random.default_rng(5).normal(0.0, 0.1, 300)
    for each in runs:
        train = curves[each.run_id].curves["train_loss"]
        noisy = complete_curve(train.step, train.value + scatter, train.epoch, train.elapsed_s)
        curves[each.run_id] = RunCurves(each.run_id, {**curves[each.run_id].curves, "train_loss": noisy})
    decision = decide(runs, curves, DEFAULT_POLICY)
    assert decision.lead.for_gap == ("b",)
    assert "The noise of the gaps outweighs the lead over run B." in lead_sentence(decision, LABELS)


def test_a_tie_for_an_unknown_gap_says_whose():
    runs = run("a", 1.0, train=0.93), run("b", 1.004)
    curves = curves_by_id(runs)
    curves["b"] = RunCurves("b", {"eval_loss": curves["b"].curves["eval_loss"]})
    decision = decide([runs[0], run("b", 1.004, train=float("nan"))], curves, DEFAULT_POLICY)
    assert decision.lead.unknown_gaps == ("b",)
    assert "The gap of run B is unknown, and could turn the order." in lead_sentence(decision, LABELS)


def test_repeats_say_that_the_seeds_are_in_the_noise():
    runs = [run(f"{group}{seed}", loss + 0.01 * seed, learning_rate=rate, seed=seed)
            for group, loss, rate in (("a", 0.5, 1e-4), ("b", 0.9, 2e-4)) for seed in range(3)]  # fmt: skip
    decision = decided(*runs)
    assert decision.contest.best.seed_freedom == 4
    said = covers(decision.contest, decision.lead.bases)
    assert "vary (4 degrees of freedom)" in said
    assert "about the settings" in said


def test_it_says_which_comparison_it_rests_on():
    assert rests_on({Basis.SEPARATE}) == "It rests on each run's own evaluations."
    assert rests_on({Basis.PAIRED, Basis.COVARIANCE}) == "It rests on the evaluations at the same steps, paired."
    both = rests_on({Basis.PAIRED, Basis.SEPARATE})
    assert both.endswith("paired, and on each run's own evaluations where those tell less.")
    assert rests_on({Basis.SEED_EVALUATIONS}).startswith(
        "It rests on repeats with other seeds: it is about the settings,"
    )
    assert rests_on(()) == ""
    runs, curves = seeded(lucky=0.99)
    decision = decide(runs, curves, DEFAULT_POLICY)
    labels = {each.run_id: each.run_id for each in runs}
    assert rests_on(decision.lead.bases) in covers(decision.contest, decision.lead.bases)
    assert "beyond the noise" in lead_sentence(decision, labels)
    assert lowest_sentence(decision, labels).startswith("The settings of a0 and a1 have the lowest eval loss")
    apart = curves["b0"].curves["eval_loss"]
    elsewhere = {"b": RunCurves("b", {"eval_loss": replace(apart, step=apart.step + 3)})}
    others = decide([run("a", 0.5), run("b", 1.03)], curves_by_id([run("a", 0.5)]) | elsewhere, DEFAULT_POLICY)
    assert others.lead.bases == {Basis.SEPARATE}, "nothing was evaluated at the same steps"


def test_an_unknown_noise_says_why_and_for_whom():
    decision = decided(*CLEAR, count=2)
    assert lead_sentence(decision, LABELS).endswith(
        "cannot be compared with the noise. Too little is known of the noise of run B, or of the first."
    )
    assert lowest_sentence(decision, LABELS) == "The noise is unknown: it takes 3 evaluations of a run to tell."
    assert unknown_noise(decision.contest, LABELS) == (
        "Whether its lead is more than noise cannot be told: fewer than 3 evaluations of run A, run B."
    )
    assert why_in_best_set(decision.contest, "a", LABELS).startswith("Cannot be told: 2 measured evaluations")


def test_one_ranked_run_says_why_it_is_alone():
    apart = decided(run("a"), run("b", 0.1, dataset="x/y"))
    for said in (lead_sentence(apart, LABELS), lowest_sentence(apart, LABELS)):
        assert said.endswith("it is the best of its own class of comparable runs, and the only one in it.")
    alone = decided(run("a"))
    for said in (lead_sentence(alone, LABELS), lowest_sentence(alone, LABELS)):
        assert said.endswith("it is the only completed run with an eval loss among the selected.")
    assert lead_sentence(decided(), LABELS) == ""
    assert lowest_sentence(decided(), LABELS) == "No run has a value of eval loss, so there is nothing to compare."
