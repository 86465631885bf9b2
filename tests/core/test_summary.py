from __future__ import annotations

import csv
import io
import math
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.findings import Finding, Severity
from lib.core.formatting import NOT_RECORDED
from lib.core.noticed import Noticed
from lib.core.runs import RunStatus, RunSummary
from lib.core.scoring import RunScore, ScoringPolicy, eval_loss_of, recommend
from lib.core.summary import Mark, SummaryInput, marks, summary_frame, to_csv
from lib.core.summary_columns import COLUMNS, GAP_WARNING, SUMMARY_DTYPES, TEXT
from lib.core.verdict import leader_so_far, trophy, trophy_sentence, why_not_others

REAL = {
    "8 3e-6": (0.3416392, 0.2926),
    "8 2e-5": (0.3325018, 0.0415),
    "8 3e-5": (0.3293153, 0.0203),
    "8 4e-5": (0.3317475, 0.0136),
    "8 1e-3": (0.3625869, 0.3243),
}


def run(run_id, best=None, train_loss=None, status=RunStatus.COMPLETED, **fields):
    fields = {"best_eval_loss": best, "loss": train_loss} | fields
    return RunSummary(run_id=run_id, name=f"name {run_id}", status=status, **fields)


def judged(*runs, policy=None):
    """The recommendation, the rows and the labels of these runs, as a page would have them."""
    recommendation = recommend(runs, policy or ScoringPolicy())
    scores = {score.run_id: score for score in recommendation.ranking.scores}
    whys = {left.run_id: left.why for left in recommendation.ranking.unscorable}
    rows = [
        SummaryInput(run=r, label=f"L{r.run_id}", score=scores.get(r.run_id), unscorable=whys.get(r.run_id))
        for r in runs
    ]
    return recommendation, rows, {row.run.run_id: row.label for row in rows}


def frame_of(*runs):
    return summary_frame(judged(*runs)[1])


def marks_of(key, *runs):
    return list(marks(frame_of(*runs))[key])


def real_runs():
    return [run(name, *losses) for name, losses in REAL.items()]


def found_of(*severities):
    findings = tuple(
        Finding("x", severity, "1", None, None, {}, f"{number}.") for number, severity in enumerate(severities)
    )
    return Noticed(findings, 0, {})


# What was noticed


def test_findings_are_counted_by_severity_and_told_in_the_tooltip():
    found = found_of(Severity.CRITICAL, Severity.WARNING, Severity.WARNING, Severity.INFO, Severity.INFO)
    frame = summary_frame([SummaryInput(run=run("1"), label="L", noticed=found)])
    cells = frame.iloc[0]
    assert (cells["findings"], cells["findings_text"]) == (3, "✖1 ⚠2 ●2")
    assert cells["findings_note"] == "✖ 0. ⚠ 1. ⚠ 2. ● 3. And 1 more."
    (written,) = csv.DictReader(io.StringIO(to_csv(frame)))
    assert written["Findings (critical or warning)"] == "3"
    assert (written["Findings (critical)"], written["Findings (worth knowing)"]) == ("1", "2")


def test_no_finding_is_a_zero_and_an_unread_run_has_none():
    rows = [SummaryInput(run=run(name), label=name, noticed=found) for name, found in (("1", found_of()), ("2", None))]
    frame = summary_frame(rows)
    assert frame["findings_text"].to_list() == ["0", NOT_RECORDED]
    assert frame["findings"].isna().to_list() == [False, True]
    assert "could not be read" in frame["findings_note"].iloc[1]
    written = list(csv.DictReader(io.StringIO(to_csv(frame))))
    assert [row["Findings (critical)"] for row in written] == ["0", ""]
    assert set(marks(frame)["findings"]) == {""}


# The columns


def test_every_column_says_what_it_means_and_which_direction_wins():
    keys = [column.key for column in COLUMNS]
    assert len(set(keys)) == len(keys)
    assert len({column.raw_header for column in COLUMNS}) == len(keys)
    for column in COLUMNS:
        assert column.tooltip.endswith(".")
        assert ("Lower is better." in column.tooltip) == (column.better == "lower")
        assert ("Higher is better." in column.tooltip) == (column.better == "higher")


def test_speeds_of_different_units_stand_in_different_columns():
    headers = {column.header for column in COLUMNS if column.title == "Speed"}
    assert headers == {"Speed (tokens/s)", "Speed (samples/s)"}


# The frame


def test_no_rows_make_a_frame_with_every_column_and_dtype():
    empty, full = summary_frame([]), frame_of(*real_runs())
    assert list(empty.columns) == list(full.columns) == list(SUMMARY_DTYPES)
    assert empty.dtypes.equals(full.dtypes)
    assert len(empty) == 0
    assert marks(empty).empty
    assert to_csv(empty).count("\n") == 1


def test_a_run_of_which_nothing_is_known_shows_every_cell_as_not_recorded():
    frame = summary_frame([SummaryInput(run=RunSummary(run_id="1", name="a"), label="a")])
    shown = {column.key: frame.at[0, column.key + TEXT] for column in COLUMNS}
    assert shown.pop("run") == "a"
    assert shown.pop("status") == "unknown"
    assert set(shown.values()) == {NOT_RECORDED}
    assert frame[[column.key for column in COLUMNS if column.show]].isna().all(axis=None)


def test_a_full_row_shows_values_with_what_qualifies_them():
    complete = run(
        "1",
        0.3293153,
        0.0203,
        raw_status="Succeeded",
        dataset="s3://bucket/3f2a/alpaca.jsonl",
        base_model="org/model",
        best_step=2025,
        best_epoch=3.0,
        total_steps=13_500,
        current_epoch=2.5,
        total_epochs=20,
        duration_s=12_000,
        tokens_per_second=1234.6,
        learning_rate=1e-12,
    )
    row = SummaryInput(
        run=complete,
        label="L",
        configured_learning_rate=3e-5,
        batch=8,
        effective_batch=32,
        effective_batch_text="8 x 4 accumulated",
        stored_note="The stored best is 0.3500.",
    )
    cells = summary_frame([row]).iloc[0]
    assert cells["run"] == cells["run_text"] == "L"
    assert cells["run_note"] == "name 1 (1)"
    assert (cells["dataset"], cells["dataset_note"]) == ("alpaca.jsonl", "s3://bucket/3f2a/alpaca.jsonl")
    assert cells["status_note"] == 'Logged as "Succeeded".'
    assert cells["best_eval_loss"] == 0.3293153
    assert cells["best_eval_loss_text"] == "0.3293 @ 2,025"
    assert cells["best_eval_loss_note"] == "Measured at step 2,025, epoch 3. The stored best is 0.3500."
    assert (cells["gap_text"], cells["gap_note"]) == ("+0.3090", "High overfitting.")
    assert cells["perplexity"] == math.exp(0.3293153)
    assert cells["perplexity_origin"] == "computed"
    assert "exp(" in cells["perplexity_note"]
    assert cells["learning_rate_text"] == "3e-5"
    assert cells["batch_note"] == "Effective batch 32 (8 x 4 accumulated)."
    assert cells["steps_to_best_text"] == "2,025 (15%)"
    assert cells["steps_to_best_share"] == pytest.approx(0.15)
    assert cells["steps_to_best_note"] == "15% of the 13,500 steps planned."
    assert cells["tokens_per_second_text"] == "1,235"
    assert cells["samples_per_second_text"] == NOT_RECORDED
    assert cells["duration_text"] == "3 h 20 min"
    assert cells["epochs_text"] == "2.5 of 20"


def test_zero_is_a_value_in_every_number():
    zero = run("1", 0.0, 0.0, best_step=0, current_step=100, perplexity=0.0, duration_s=0.0, current_epoch=0.0)
    row = SummaryInput(run=zero, label="L", configured_learning_rate=0.0, batch=0)
    cells = summary_frame([row]).iloc[0]
    for key in (
        "best_eval_loss",
        "train_loss",
        "gap",
        "perplexity",
        "learning_rate",
        "batch",
        "duration",
        "epochs",
    ):
        assert cells[key] == 0
        assert cells[key + TEXT] != NOT_RECORDED
    assert cells["steps_to_best_text"] == "0 (0%)"


def test_what_was_logged_as_nan_or_infinite_is_visible_as_such():
    frame = frame_of(run("1", math.nan, math.inf), run("2", 0.3, math.nan, final_loss=0.2, eval_loss=math.nan))
    assert list(frame["best_eval_loss_text"]) == ["NaN", "0.3000"]
    assert list(frame["train_loss_text"]) == ["∞", "0.2000"]
    assert frame.at[0, "gap_text"] == NOT_RECORDED
    assert frame.at[0, "gap_note"] == "Unknown: there is no finite eval and no finite train loss."
    assert frame.at[1, "train_loss_note"] == "The last train loss logged is NaN."
    assert "The last eval loss logged is NaN." in frame.at[1, "best_eval_loss_note"]


def test_an_eval_loss_that_is_not_the_best_one_says_so_and_has_no_step():
    frame = frame_of(run("1", None, eval_loss=0.4, best_step=7))
    assert frame.at[0, "best_eval_loss_text"] == "0.4000"
    assert frame.at[0, "best_eval_loss_note"].startswith("No finite best eval loss is recorded")


def test_the_loss_shown_is_the_loss_scored():
    for case in (
        run("1", None, eval_loss=0.4),
        run("1", math.nan, eval_loss=0.5),
        run("1", 0.0, eval_loss=1.0),
    ):
        assert frame_of(case).at[0, "best_eval_loss"] == eval_loss_of(case)


def test_a_logged_perplexity_wins_and_a_huge_loss_overflows_to_infinity():
    frame = frame_of(run("1", 0.3, perplexity=9.0), run("2", 1000.0))
    assert list(frame["perplexity"]) == [9.0, math.inf]
    assert list(frame["perplexity_text"]) == ["9.000", "∞"]
    assert list(frame["perplexity_origin"]) == ["logged", "computed"]


def test_the_score_shows_its_parts_or_why_there_is_none():
    frame = frame_of(run("1", 0.3416392, 0.2926), run("2", 0.3, status=RunStatus.RUNNING, duration_s=5.0))
    assert frame.at[0, "score_text"] == "79.74"
    assert frame.at[0, "score_note"] == "Eval loss 71.06 points, gap 100 points."
    assert (frame.at[1, "score_text"], frame.at[1, "score_note"]) == (NOT_RECORDED, "Left out: still running.")
    assert frame.at[1, "duration_note"].startswith("So far")


# Marks


def test_best_and_worst_need_two_different_finite_values():
    assert marks_of("best_eval_loss", run("1", 0.3)) == [""]
    assert marks_of("best_eval_loss", run("1", 0.3), run("2")) == ["", ""]
    assert marks_of("best_eval_loss", run("1", 0.3), run("2", 0.3)) == ["", ""]
    assert marks_of("best_eval_loss", run("1"), run("2")) == ["", ""]
    assert marks_of("best_eval_loss", run("1", 0.3), run("2", 0.2)) == ["worst", "best"]


def test_ties_are_shown_as_ties():
    tied = [run("1", 0.2), run("2", 0.2), run("3", 0.3), run("4", 0.3), run("5", 0.25)]
    assert marks_of("best_eval_loss", *tied) == ["tie-best", "tie-best", "worst", "worst", ""]


def test_nan_and_infinity_neither_win_nor_lose():
    runs = [run("1", math.nan), run("2", -math.inf), run("3", 0.2), run("4", 0.3), run("5", math.inf)]
    assert marks_of("best_eval_loss", *runs) == ["", "", "best", "worst", ""]


def test_zero_is_the_best_loss():
    assert marks_of("best_eval_loss", run("1", 0.0), run("2", 0.1)) == ["best", "worst"]


def test_more_is_better_for_speed_and_score():
    fast = [run("1", 0.3, tokens_per_second=5.0), run("2", 0.2, tokens_per_second=9.0), run("3", 0.25)]
    assert marks_of("tokens_per_second", *fast) == ["worst", "best", ""]
    assert marks_of("score", *fast) == ["worst", "best", ""]


def test_perplexities_of_two_kinds_are_not_compared():
    assert marks_of("perplexity", run("1", 0.3), run("2", 0.2, perplexity=1.1)) == ["", ""]
    assert marks_of("perplexity", run("1", 0.3), run("2", 0.2), run("3")) == ["worst", "best", ""]
    # One that is no number does not keep the others from being compared.
    assert marks_of("perplexity", run("1", 0.3), run("2", 0.2), run("3", perplexity=math.nan))[:2] == [
        "worst",
        "best",
    ]


def test_the_gap_is_marked_above_the_warning_and_below_zero():
    gaps = [
        run("1", 0.9, 0.9 - GAP_WARNING),
        run("2", 0.85, 0.749),
        run("3", 0.2, 0.3),
        run("4", 0.2, 0.2),
        run("5"),
    ]
    assert marks_of("gap", *gaps) == ["", "high", "negative", "", ""]


numbers = st.none() | st.floats() | st.sampled_from([0.0, 0.1, 0.2])


@given(st.lists(st.tuples(numbers, numbers, numbers), max_size=5), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=25)
def test_marks_do_not_depend_on_the_order_of_runs_and_only_columns_with_a_direction_have_winners(losses, shuffle):
    runs = [run(str(n), e, t, tokens_per_second=s) for n, (e, t, s) in enumerate(losses)]
    frame = frame_of(*runs)
    found = marks(frame)
    assert list(found.columns) == [column.key for column in COLUMNS]
    assert set(found.to_numpy().ravel()) <= {mark.value for mark in Mark}
    for column in COLUMNS:
        winners = found[column.key].isin(["best", "tie-best"]).sum()
        assert (winners > 0) == (found[column.key] == "worst").any()
        assert column.better or not winners
        assert (found[column.key] == "best").sum() in (0, winners)
    order = list(range(len(runs)))
    shuffle.shuffle(order)
    shuffled = marks(frame_of(*[runs[n] for n in order]))
    assert shuffled.equals(found.iloc[order].reset_index(drop=True))


# Words


def test_the_real_runs_recommend_one_and_give_the_trophy_to_another_and_say_why():
    recommendation, rows, labels = judged(*real_runs())
    assert recommendation.run_id == "8 3e-6"
    assert trophy(rows) == ("8 3e-5",)
    assert trophy_sentence(recommendation, rows, labels) == (
        "L8 3e-5 has the lowest eval loss (0.3293), but its gap of +0.3090 (high overfitting) gives 30"
        " gap points against 100 of L8 3e-6; in total 59.36 against 79.74."
    )
    assert why_not_others(recommendation, labels) == [
        "L8 1e-3: 78.71, 1.03 points behind.",
        "L8 3e-5: 59.36, 20.38 points behind.",
        "L8 4e-5: 59.24, 20.51 points behind.",
        "L8 2e-5: 59.20, 20.54 points behind.",
    ]
    assert leader_so_far(rows, recommendation, labels) is None


def test_the_trophy_of_the_recommended_run_needs_no_sentence():
    recommendation, rows, labels = judged(run("1", 0.2, 0.2), run("2", 0.3, 0.3))
    assert trophy(rows) == ("1",)
    assert trophy_sentence(recommendation, rows, labels) is None


@pytest.mark.parametrize(("status", "why"), [(RunStatus.RUNNING, "still running"), (RunStatus.FAILED, "failed")])
def test_a_trophy_of_a_run_that_cannot_be_recommended_says_why(status, why):
    recommendation, rows, labels = judged(run("1", 0.3, 0.3), run("2", 0.2, 0.2, status))
    assert trophy_sentence(recommendation, rows, labels) == (
        f"L2 has the lowest eval loss (0.2000), but cannot be recommended: {why}."
    )


def test_a_trophy_of_a_run_that_was_not_ranked_says_so():
    _, rows, labels = judged(run("1", 0.3, 0.3), run("2", 0.2, 0.2))
    only_first = recommend([rows[0].run])
    other = SummaryInput(run=rows[1].run, label="L2")
    assert trophy_sentence(only_first, [rows[0], other], labels).endswith(
        "but was not ranked with the recommended run."
    )


def test_an_unknown_gap_is_given_as_the_reason():
    recommendation, rows, labels = judged(run("1", 0.3, 0.28), run("2", 0.25))
    assert trophy_sentence(recommendation, rows, labels) == (
        "L2 has the lowest eval loss (0.2500), but its gap is unknown, which gives 50 gap points against 100"
        " of L1; in total 69.52 against 81.86."
    )


def test_a_shared_trophy_names_the_tie_break():
    when = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2)]
    cases = [
        ({"loss": 0.29}, {"loss": 0.28}, "its smaller gap (+0.0100 against +0.0200)"),
        ({"completed_at": when[0]}, {"completed_at": when[1]}, "having completed earlier"),
        ({"completed_at": when[0]}, {}, "having completed earlier"),
        ({}, {}, "its id, the last tie-break"),
    ]
    for first, second, words in cases:
        recommendation, rows, labels = judged(run("1", 0.3, **first), run("2", 0.3, **second))
        sentence = trophy_sentence(recommendation, rows, labels)
        assert trophy(rows) == ("1", "2")
        assert sentence.startswith("L2 shares the lowest eval loss (0.3000), and its score is the same (")
        assert sentence.endswith(f"; L1 wins the tie by {words}.")


def test_a_shared_trophy_with_different_gaps_names_the_points():
    recommendation, rows, labels = judged(run("1", 0.3, 0.3), run("2", 0.3, 0.1))
    assert trophy_sentence(recommendation, rows, labels).startswith(
        "L2 shares the lowest eval loss (0.3000), but its gap of +0.2000 (high overfitting) gives 30 gap points"
    )


def test_without_any_gap_weight_the_trophy_is_the_recommendation():
    recommendation, rows, labels = judged(*real_runs(), policy=ScoringPolicy(eval_weight=1.0))
    assert trophy(rows) == (recommendation.run_id,)
    assert trophy_sentence(recommendation, rows, labels) is None


some_loss = st.none() | st.sampled_from([0.0, -0.5, 0.2, 0.3, 0.30000000001, math.nan, math.inf]) | st.floats(0, 5)
some_run = st.tuples(some_loss, some_loss, st.sampled_from(list(RunStatus)))


@given(st.lists(some_run, max_size=5), st.sampled_from([0.0, 0.5, 0.7, 1.0]))
@settings(deadline=None)
def test_every_selection_has_its_words(cases, weight):
    runs = [run(str(n), *case) for n, case in enumerate(cases)]
    recommendation, rows, labels = judged(*runs, policy=ScoringPolicy(eval_weight=weight))
    holders = trophy(rows)
    leader = leader_so_far(rows, recommendation, labels)
    sentence = trophy_sentence(recommendation, rows, labels)
    assert (leader is None) == (recommendation.run_id is not None)
    expected = [h for h in holders if h != recommendation.run_id] if recommendation.run_id else []
    assert (sentence or "").count("the lowest eval loss") == len(expected)
    assert len(why_not_others(recommendation, labels)) == len(runs) - (recommendation.run_id is not None)
    for holder in expected:
        score = next((s for s in recommendation.ranking.scores if s.run_id == holder), None)
        if score and " of L" in sentence and len(expected) == 1:
            # Whoever has the lower loss can only be behind by its gap points.
            assert score.gap_points < recommendation.winner.gap_points


def test_the_leader_so_far_is_named_with_what_keeps_it_from_being_recommended():
    running = run("1", 0.4123, 0.4, RunStatus.RUNNING)
    recommendation, rows, labels = judged(running, run("2", 0.5, 0.4, RunStatus.FAILED))
    assert leader_so_far(rows, recommendation, labels) == (
        "Leader so far by eval loss: L1 with 0.4123 (still running)."
    )
    recommendation, rows, labels = judged(running, run("2", 0.4123, status=RunStatus.FAILED))
    assert leader_so_far(rows, recommendation, labels) == (
        "Leaders so far by eval loss, tied with 0.4123: L1 (still running), L2 (failed)."
    )


def test_where_there_is_no_leader_the_words_say_why():
    def said(*runs):
        recommendation, rows, labels = judged(*runs)
        return leader_so_far(rows, recommendation, labels)

    assert said() == "There is no leader so far: no run is selected."
    assert said(run("1")) == "There is no leader so far: no selected run has logged an eval loss."
    assert said(run("1", math.nan), run("2")) == (
        "There is no leader so far: no selected run has a finite eval loss (L1: NaN)."
    )


def test_others_are_behind_by_points_level_or_left_out():
    recommendation, _, labels = judged(
        run("1", 0.3, 0.29),
        run("2", 0.3, 0.28),
        run("3", 0.30000001, 0.29),
        run("4"),
        run("5", 1, 1, RunStatus.QUEUED),
    )
    assert why_not_others(recommendation, labels) == [
        "L2: 81.86, level with the recommended run, which wins by its smaller gap (+0.0100 against +0.0200).",
        "L3: 81.85727, 0.000001 points behind.",
        "L4: left out, no eval loss logged.",
        "L5: left out, not started yet.",
    ]


def test_a_run_without_a_label_is_called_by_its_id():
    recommendation, _, _ = judged(run("1", 0.2), run("2", 0.3))
    assert why_not_others(recommendation, {})[0].startswith("2: ")


# Export


def exported(frame):
    return list(csv.DictReader(io.StringIO(to_csv(frame))))


def test_the_export_holds_full_precision_and_units():
    frame = frame_of(run("1", 0.1 + 0.2, 1 / 3, best_step=2025, duration_s=12_000.5, samples_per_second=1.5))
    (row,) = exported(frame)
    assert float(row["Best eval loss"]) == 0.1 + 0.2
    assert float(row["Train loss"]) == 1 / 3
    assert row["Steps to best (steps)"] == "2025"
    assert row["Duration (s)"] == "12000.5"
    assert row["Speed (samples/s)"] == "1.5"
    assert row["Perplexity origin"] == "computed"


def test_missing_nan_infinity_and_zero_are_exported_differently():
    rows = exported(frame_of(run("1", None), run("2", math.nan), run("3", math.inf), run("4", 0.0)))
    assert [row["Best eval loss"] for row in rows] == ["", "NaN", "inf", "0"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "＝"])
def test_text_that_a_spreadsheet_would_run_is_disarmed(start):
    evil = f'{start}HYPERLINK("x")'
    row = SummaryInput(run=RunSummary(run_id=evil, name=evil, dataset=evil, base_model=evil), label=evil)
    (written,) = csv.DictReader(io.StringIO(to_csv(summary_frame([row])), newline=""))
    for header in ("Run id", "Run", "Model", "Dataset"):
        assert written[header] == "'" + evil


def test_negative_numbers_stay_numbers_in_the_export():
    (row,) = exported(frame_of(run("1", 0.2, 0.3)))
    assert float(row["Gap"]) == pytest.approx(-0.1)


def test_the_frame_takes_a_score_as_it_is():
    score = RunScore("1", 12.5, 10.0, 40.0, 0.2, None, None, "unknown")
    frame = summary_frame([SummaryInput(run=run("1", 0.2), label="L", score=score)])
    assert frame.at[0, "score"] == 12.5
    assert isinstance(frame, pd.DataFrame)


def test_losses_are_best_and_worst_among_comparable_runs_only_and_other_columns_among_all():
    made = (("1", 0.1, 9.0), ("2", 0.3, 5.0), ("3", 0.2, 7.0))
    runs = [run(name, loss, duration_s=seconds) for name, loss, seconds in made]
    frame = frame_of(*runs)
    found = marks(frame, {"2", "3"})
    assert found["best_eval_loss"].tolist() == ["", "worst", "best"]
    assert found["duration"].tolist() == marks(frame)["duration"].tolist()
    assert marks(frame, set())["best_eval_loss"].tolist() == ["", "", ""]
    assert marks(frame, {"1", "2", "3"}).equals(marks(frame))
