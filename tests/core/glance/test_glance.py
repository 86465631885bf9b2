"""The verdict at a glance: what each kind of verdict says, by hand, and that all of it is short."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.checkpoints.advice import Fate
from lib.core.facts.findings import Severity
from lib.core.facts.runs import RunStatus
from lib.core.gap.negative_gap import Explanation
from lib.core.glance.glance import Badge, Level, better_words, glance_of
from lib.core.glance.rows import BEHIND, LEVEL, MARKS, PICK, SHIP
from lib.core.ranking.scoring import LeftOut
from lib.core.text.sentences import WORDS_MOST, Strong, plain
from lib.core.verdict.overview import HeadlineKind, overview_of
from tests.core.decided_runs import decided, grounded, run
from tests.core.verdict.test_objections import KEPT, assessed, negative

CLEAR = run("a", 0.5), run("b", 0.8)
TIED = run("a", 0.5), run("b", 0.501)


def glance(*runs, has_alike=False, by_run=None, **how):
    assessments = {each.run_id: assessed(each.run_id) for each in runs} | (by_run or {})
    labels = {each.run_id: each.run_id.upper() for each in runs}
    overview = overview_of(grounded(*runs, labels=labels, **how), runs, assessments)
    return glance_of(overview, runs, assessments, has_alike=has_alike)


def f1(**best):
    return {run_id: {"eval_f1": (0.1, value)} for run_id, value in best.items()}


def test_a_winner_says_its_own_numbers_those_of_the_runner_up_and_that_nothing_speaks_against_it():
    found = glance(*CLEAR)
    # 100 for loss and gap; 100 * (0.55 / 0.85) ** 10 = 1.29 for the other, of which 70 %, and 30 for its gap.
    assert found.headline({"a": "A"}) == "Ship A"
    assert found.checkpoint == "checkpoint-10"
    assert found.badge == Badge(Level.GOOD, "Sure", "the lead is beyond the noise")
    assert found.texts == {
        "Why": "Lowest eval loss, 0.5, and best score, 100.0 of 100. Gap 0.00. Runner-up: B with 30.9.",
        "Against": "None found.",
    }
    strong = [part for line in found.lines for part in line.said if isinstance(part, Strong)]
    assert strong == ["0.5", "100.0", "0.00", "B", "30.9"]


def test_a_winner_with_a_higher_loss_says_that_its_score_is_best():
    # 100 * (1.03 / 1.05) ** 10 = 82.504 for the loss and 100 for the gap: 57.75 + 30. The other: 70 + 30 * 0.3.
    found = glance(run("a", 1.0), run("b", 0.98, train=0.1))
    assert re.fullmatch(
        r"Best score, 87\.8 of 100: eval loss 1\.0*, and a gap of only 0\.000\. Runner-up: B with 79\.0\.",
        found.texts["Why"],
    )


def test_without_any_gap_the_loss_alone_is_named():
    found = glance(*CLEAR, train=False)
    assert found.texts["Why"].startswith("Lowest eval loss, 0.5")


def test_another_metric_is_called_as_people_call_it():
    found = glance(run("a", 0.5), run("b", 0.6), further=f1(a=0.7, b=0.4), by="eval_f1")
    assert found.texts["Why"] == "Highest F1, 0.7. Runner-up: B with 0.4."
    assert found.ranking.title == "F1"


def test_a_tie_names_all_says_what_they_share_and_what_would_part_them():
    found = glance(*TIED, noise=0.02)
    assert found.kind is HeadlineKind.TIE
    assert found.headline({"a": "A", "b": "B"}) == "Ship any of A, B"
    assert found.checkpoint == "If you must pick: A, checkpoint-10"
    assert found.badge == Badge(Level.INFO, "Tie", "")
    # 100 * (0.55 / 0.551) ** 10 = 98.2; of it 70 %, and 30: 98.7.
    assert found.texts["Why"].startswith(
        "Their scores, 100.0 and 98.7, differ by less than the noise. A has eval loss 0.5"
    )
    assert found.texts["To decide"] == "More evaluation data would show whether they differ."
    assert [row.mark for row in found.ranking.rows] == [PICK, LEVEL]


def test_of_a_tie_in_which_the_training_of_each_broke_down_nothing_is_said_to_be_shipped():
    def dead(*which):
        return {each: assessed(each, health=[("dead_training", Severity.CRITICAL)]) for each in which}

    found = glance(*TIED, noise=0.02, by_run=dead("a", "b"))
    assert found.headline({"a": "A", "b": "B"}) == "Best of these: A, B"
    assert found.badge == Badge(Level.BAD, "Tie", "the training of each broke down")
    assert found.texts["Against"].startswith("Its training died: dead_training at step 5.")
    assert glance(*TIED, noise=0.02, by_run=dead("b")).headline({"a": "A", "b": "B"}) == "Ship any of A, B"


def test_equal_scores_are_said_to_be_equal():
    found = glance(run("a", 0.5), run("b", 0.5), noise=0.0)
    assert found.texts["Why"] == "They have the same score, 100.0."


@pytest.mark.parametrize(
    ("by_run", "said"),
    [
        ({"b": assessed("b", data=[Severity.CRITICAL])}, "Only A trained without critical findings."),
        ({"a": assessed("a", health=[("divergence", Severity.CRITICAL)])}, "Only B trained without critical findings."),
        ({"a": None}, "Only B trained without critical findings."),
        (
            {"a": assessed("a", checkpoint=replace(KEPT, fate=Fate.CANNOT_TELL))},
            "Only B is known to have kept the best checkpoint.",
        ),
        ({each: assessed(each, checkpoint=replace(KEPT, fate=Fate.CANNOT_TELL)) for each in "ab"}, ""),
    ],
)
def test_what_decides_a_tie_is_what_only_some_of_the_tied_have(by_run, said):
    found = glance(*TIED, noise=0.02, by_run=by_run).texts["To decide"]
    assert found == f"{said} More evaluation data would show whether they differ.".strip()


def test_a_metric_of_the_task_that_prefers_one_of_the_tied_says_both_values():
    found = glance(*TIED, noise=0.02, further=f1(a=0.4, b=0.7))
    assert found.texts["To decide"].startswith("F1 prefers B: 0.7 against 0.4.")
    nested = {key: {"eval_f1/of a class": each["eval_f1"]} for key, each in f1(a=0.4, b=0.7).items()}
    assert "prefers" not in glance(*TIED, noise=0.02, further=nested).texts["To decide"]


def test_runs_that_do_not_compare_have_no_order_and_the_button_is_named_only_where_there_is_one():
    runs = run("b", 0.6), run("a", 0.5, dataset="x/y")
    found = glance(*runs)
    assert found.headline({}) == "Not comparable: different evaluation data"
    assert found.run_ids == ()
    assert found.badge == Badge(Level.BAD, "No recommendation", "each run is judged on its own")
    assert set(found.texts) == {"Why"}
    assert [(row.run_id, row.behind, row.metric) for row in found.ranking.rows] == [
        ("b", None, "eval loss"), ("a", None, "eval loss")
    ]  # fmt: skip
    assert glance(*runs, has_alike=True).texts["To decide"].endswith("the button below finds some.")


def test_what_nobody_should_ship_without_knowing_stands_in_the_first_lines():
    dead = assessed("a", health=[("dead_training", Severity.CRITICAL)])
    found = glance(*CLEAR, by_run={"a": dead})
    assert found.headline({"a": "A"}) == "Best of these: A"
    assert found.badge == Badge(Level.BAD, "Unsure", "its training died at step 5, before its best evaluation")
    assert found.ranking.rows[0].mark == "★ first"


def test_one_run_is_the_only_choice_and_not_recommended_over_others():
    found = glance(run("a"), run("b", 0.4, RunStatus.RUNNING))
    assert found.headline({"a": "A"}) == "Only choice: A"
    assert found.badge == Badge(Level.INFO, "Nothing to compare with", "")
    assert found.texts["Why"].endswith("It is the only completed run with an eval loss among the selected.")
    assert found.ranking.title == "Eval loss", "a score says how a run stands beside others"
    assert [(row.mark, row.why) for row in found.ranking.rows] == [("", ""), ("running", "Left out: still running.")]


NOT_COMPLETED = "None of the selected runs is completed."


@pytest.mark.parametrize(
    ("statuses", "headline", "badge", "why"),
    [
        ((RunStatus.FAILED,) * 2, "No recommendation", (Level.BAD, "2 failed"), NOT_COMPLETED),
        ((RunStatus.FAILED, RunStatus.QUEUED), "No recommendation yet", (Level.INFO, "1 failed, 1 queued"),
         NOT_COMPLETED),
        ((), "No recommendation", (Level.INFO, "Nothing selected"), "No run is selected."),
    ],
)  # fmt: skip
def test_without_a_recommendation_the_badge_counts_why(statuses, headline, badge, why):
    found = glance(*(run(str(number), 0.5, status) for number, status in enumerate(statuses)))
    assert found.headline({}) == headline
    assert (found.badge.level, found.badge.text) == badge
    assert found.texts["Why"] == why


def test_what_was_logged_instead_is_named():
    found = glance(run("a", None), run("b", None))
    assert found.texts["Why"] == "No completed run has a finite value of eval loss."


def test_rows_say_how_far_behind_on_one_scale_and_how_far_noise_could_put_them():
    rows = {row.run_id: row for row in glance(*CLEAR, run("c", 0.9, train=0.5), run("d", None)).ranking.rows}
    assert list(rows) == ["a", "b", "c", "d"]
    assert (rows["a"].behind, rows["a"].mark, rows["a"].distance) == (0.0, SHIP, "the best")
    # b has 30.9, c 0.44 for its loss and 30 * 0.3 for its gap of 0.4.
    assert rows["c"].behind == 1.0
    assert rows["b"].behind == pytest.approx(69.1 / 90.7, abs=0.01)
    assert rows["b"].distance == "69.1 points behind the best"
    assert 0.0 <= rows["b"].within < rows["b"].behind
    assert (rows["c"].mark, rows["c"].is_wide, rows["c"].gap) == ("overfits", True, "+0.40")
    assert (rows["d"].behind, rows["d"].within, rows["d"].mark, rows["d"].value) == (None, None, "no eval loss", "–")


@pytest.mark.parametrize(("of_best", "mark"), [(0.15, ""), (0.45, "overfits")])
def test_a_gap_that_the_recommended_run_has_too_is_not_why_another_one_was_left(of_best, mark):
    rows = {row.run_id: row for row in glance(run("a", 0.5, train=of_best), run("b", 0.9, train=0.6)).ranking.rows}
    assert (rows["b"].mark, rows["b"].is_wide) == (mark, True)


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("noise", [0.001, 0.02, 0.1])
def test_one_shade_is_drawn_for_all_and_who_is_level_ends_inside(noise, train):
    rows = glance(run("a", 0.5), run("b", 0.501), run("c", 0.53), run("d", 0.9), noise=noise, train=train).ranking.rows
    (shade,) = {row.within for row in rows}
    for row in rows[1:]:
        assert (row.behind <= shade) == (row.mark in (LEVEL, PICK)), row


def test_who_is_told_apart_inside_the_shade_is_marked():
    # Beside runs that are never better than before training nobody is level, however near they are.
    rows = glance(*TIED, noise=0.02, before={"b": 0.4}).ranking.rows
    assert [row.mark for row in rows] == [SHIP, "≤ base model"]
    assert BEHIND not in [row.mark for row in glance(*CLEAR).ranking.rows]


def test_the_values_of_runs_that_have_no_score_do_not_stand_among_scores():
    found = glance(*CLEAR, run("c", 0.1, dataset="x/y"), run("d", 0.4, RunStatus.RUNNING))
    rows = {row.run_id: row for row in found.ranking.rows}
    assert (rows["c"].value, rows["c"].mark) == ("–", "not comparable")
    assert rows["c"].why == "Not comparable: different evaluation data. Its eval loss: 0.1."
    assert (rows["d"].value, rows["d"].why) == ("–", "Left out: still running. Its eval loss: 0.4.")


def test_losses_of_any_size_have_a_place_on_the_scale():
    rows = glance(run("a", 1.12e-5), run("b", 1e25), run("c", 1e300)).ranking.rows
    assert all(row.behind is not None and 0.0 <= row.behind <= 1.0 for row in rows)
    assert [row.behind for row in glance(run("a", 0.5), run("b", 0.5), noise=0.0).ranking.rows] == [0.0, 0.0]


def test_the_note_says_what_the_shade_is():
    assert re.fullmatch(r"Shaded: noise, up to [\d.]+ points\.", glance(*CLEAR).ranking.note)
    found = glance(*(replace(each, loss=None) for each in CLEAR), train=False).ranking
    # Losses stand in the rows, and points are what ranks them.
    assert (found.title, found.rows[0].value[:3]) == ("Eval loss", "0.5")
    assert re.fullmatch(r"Shaded: noise, up to [\d.]+ points of the score\.", found.note)
    assert re.fullmatch(r"[\d.]+ points of the score behind the best", found.rows[1].distance)
    by_f1 = {"a": {"eval_f1": (0.1, 0.7)}, "b": {"eval_f1": (0.1, 0.4)}}
    assert "points" not in glance(*CLEAR, further=by_f1, by="eval_f1").ranking.note
    assert glance(*CLEAR, count=2).ranking.note == "The noise is not known."


def test_every_reason_to_be_left_out_has_its_mark():
    assert set(MARKS) == set(LeftOut)


def test_a_better_run_that_is_not_selected_is_said_to_be_better_in_what():
    other = run("c", 0.4)
    assert better_words(other, "C", decided(*CLEAR)) == "Not selected, but lower eval loss: C, 0.4"
    assert better_words(other, "C", decided(run("a"))) == "Not selected, but better: C, 0.4"


some_run = st.fixed_dictionaries(
    {
        "loss": st.sampled_from([None, 0.0, 0.3, 0.301, 0.6, 1.12e-5, 1e25, float("nan")]),
        "train": st.sampled_from([None, 0.0, 0.28, 0.6]),
        "status": st.sampled_from([RunStatus.COMPLETED] * 6 + list(RunStatus)),
        "dataset": st.sampled_from(["tatsu-lab/alpaca"] * 3 + ["x/y", ...]),
        "packing": st.sampled_from([False, False, True, ...]),
        "max_length": st.sampled_from([2048, 2048, 512]),
    }
)
some_assessment = st.sampled_from(
    [
        *[lambda run_id: assessed(run_id)] * 3,
        lambda run_id: None,
        lambda run_id: assessed(run_id, data=[Severity.CRITICAL, Severity.WARNING]),
        lambda run_id: assessed(run_id, health=[("divergence", Severity.CRITICAL)]),
        lambda run_id: assessed(run_id, health=[("eval_rebound", Severity.WARNING)]),
        lambda run_id: assessed(run_id, health=[("gradient_spike", Severity.WARNING)] * 3),
        lambda run_id: assessed(run_id, over=negative(Explanation.NOT_EXPLAINED)),
        lambda run_id: assessed(run_id, over=negative(Explanation.CANNOT_TELL)),
        *[
            lambda run_id, fate=fate, saved=saved: assessed(
                run_id, checkpoint=replace(KEPT, fate=fate, saved_step=saved, saved_eval_loss=0.4)
            )
            for fate in Fate
            for saved in (None, 5)
        ],
    ]
)


@given(
    st.lists(st.tuples(some_run, some_assessment), max_size=5),
    st.sampled_from([0.001, 0.05]),
    st.sampled_from([2, 4, 30]),
    st.sampled_from([None, "eval_f1"]),
    st.booleans(),
)
@settings(deadline=None, max_examples=200)
def test_no_sentence_has_more_words_than_one_reads_at_a_glance(cases, noise, count, by, train):
    runs = [run(str(number), **case) for number, (case, _) in enumerate(cases)]
    assessments = {str(number): make(str(number)) for number, (_, make) in enumerate(cases)}
    scores = {each.run_id: {"eval_f1": (0.1, 0.3 + 0.1 * place)} for place, each in enumerate(runs)}
    found = glance(*runs, by_run=assessments, noise=noise, count=count, further=scores, by=by, train=train)
    texts = [found.headline({each.run_id: each.run_id for each in runs}), found.checkpoint, found.badge.text]
    texts += [found.badge.because, found.ranking.note, *(plain(line.said) for line in found.lines)]
    for text in texts:
        for sentence in re.split(r"(?<=[.:?])\s", text):
            assert len(sentence.split()) <= WORDS_MOST, sentence
    assert {row.run_id for row in found.ranking.rows} == {each.run_id for each in runs}
    assert not re.search(r"\bNone (?!found|of|leads|logged)", " ".join(texts))
