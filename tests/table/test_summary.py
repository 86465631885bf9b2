from __future__ import annotations

import csv
import io
import math
import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.facts.findings import Finding, Severity
from lib.core.facts.runs import RunStatus, RunSummary, eval_loss_of
from lib.core.gap.overfitting import GAP_WARNING
from lib.core.ranking.scoring import RunScore
from lib.core.ranking.values import RunValues
from lib.core.text.formatting import NOT_RECORDED
from lib.table.cells import summary_of
from lib.table.columns import COLUMNS, Column, Group
from lib.table.csv_file import to_csv
from lib.table.further import further_columns
from lib.table.inputs import SummaryInput
from lib.table.marks import Alike, Mark
from tests.core.checked_runs import results_with
from tests.core.judged_runs import judged, real_runs, run
from tests.table.tables import TEXT, frame_of, mark_notes, marked, summary_frame, summary_with


def summary_of_runs(*runs):
    grounds = judged(*runs)
    scores = grounds.decision.scores
    rows = [
        SummaryInput(
            run=r,
            label=f"L{r.run_id}",
            values=grounds.decision.values.get(r.run_id),
            score=scores.get(r.run_id),
            unscorable=grounds.left_out.get(r.run_id),
        )
        for r in runs
    ]
    return summary_of(rows)


def table_of(*runs):
    return frame_of(summary_of_runs(*runs))


def marks_of(key, *runs):
    return list(marked(summary_of_runs(*runs))[key])


def found_of(*severities):
    findings = tuple(Finding("x", severity, None, None, {}, f"{number}.") for number, severity in enumerate(severities))
    return results_with(findings)


# What was found


def test_findings_are_counted_by_severity_and_told_in_the_tooltip():
    found = found_of(Severity.CRITICAL, Severity.WARNING, Severity.WARNING, Severity.INFO, Severity.INFO)
    summary = summary_of([SummaryInput(run=run("1"), label="L", checks=found)])
    cells = frame_of(summary).iloc[0]
    assert (cells["findings"], cells["findings_text"]) == (3, "✖1 ⚠2 ●2")
    assert cells["findings_note"] == "✖ 0. ⚠ 1. ⚠ 2. ● 3. And 1 more."
    (written,) = csv.DictReader(io.StringIO(to_csv(summary)))
    assert written["Findings (critical or warning)"] == "3"
    assert (written["Findings (critical)"], written["Findings (worth knowing)"]) == ("1", "2")


def test_no_finding_is_a_zero_and_an_unread_run_has_none():
    rows = [SummaryInput(run=run(name), label=name, checks=found) for name, found in (("1", found_of()), ("2", None))]
    summary = summary_of(rows)
    frame = frame_of(summary)
    assert frame["findings_text"].to_list() == ["none", NOT_RECORDED]
    assert frame["findings"].isna().to_list() == [False, True]
    assert "could not be read" in frame["findings_note"].iloc[1]
    written = list(csv.DictReader(io.StringIO(to_csv(summary))))
    assert [row["Findings (critical)"] for row in written] == ["0", ""]
    assert set(marked(summary)["findings"]) == {""}


def test_the_export_says_who_is_recommended_and_by_which_value():
    known = RunValues("1", 0.5, 100)
    rows = [
        SummaryInput(run=run("1"), label="=1", values=known, deciding="eval_f1", rank=1, recommended=True),
        SummaryInput(run=run("2"), label="2", deciding="eval_f1"),
    ]
    first, second = csv.DictReader(io.StringIO(to_csv(summary_of(rows))))
    keys = "Rank", "Recommended", "Deciding metric", "Deciding value"
    assert [first[key] for key in keys] == ["1", "yes", "eval_f1", "0.5"]
    assert [second[key] for key in keys] == ["", "no", "", ""]


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


def test_no_rows_make_a_table_with_every_column():
    empty, full = summary_of([]), summary_of_runs(*real_runs())
    assert list(empty.cells) == list(full.cells) == [column.key for column in COLUMNS]
    assert empty.extras.keys() == full.extras.keys()
    assert marked(empty).empty
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
        values=RunValues("1", 0.3293153, 2025, 0.3293153, 0.0203, True, 0.3293153 - 0.0203, train_error=0.01),
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
    assert cells["eval_loss"] == 0.3293153
    assert cells["eval_loss_text"] == "0.3293"
    assert cells["eval_loss_note"] == "Measured at step 2,025, epoch 3. The stored best is 0.3500."
    assert (cells["gap_text"], cells["gap_note"]) == (
        "+0.31",
        "High overfitting. At step 2,025. Standard error 0.0100.",
    )
    assert cells["perplexity"] == math.exp(0.3293153)
    assert cells["perplexity_origin"] == "computed"
    assert "exp(" in cells["perplexity_note"]
    assert cells["learning_rate_text"] == "3e-5"
    assert cells["batch_note"] == "Effective batch 32 (8 x 4 accumulated)."
    assert cells["steps_to_best_text"] == "2,025"
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
        "eval_loss",
        "train_loss",
        "perplexity",
        "learning_rate",
        "batch",
        "duration",
        "epochs",
    ):
        assert cells[key] == 0
        assert cells[key + TEXT] != NOT_RECORDED
    assert cells["steps_to_best_text"] == "0"


def test_what_was_logged_as_nan_or_infinite_is_visible_as_such():
    frame = table_of(run("1", math.nan, math.inf), run("2", 0.3, math.nan, final_loss=0.2, eval_loss=math.nan))
    assert list(frame["eval_loss_text"]) == ["NaN", "0.3"]
    assert list(frame["train_loss_text"]) == ["∞", "0.2"]
    assert frame.at[0, "gap_text"] == NOT_RECORDED
    assert frame.at[0, "gap_note"] == "Unknown: the run has no value of what decides."
    assert frame.at[1, "train_loss_note"] == "Of the end of training. The last train loss logged is NaN."
    assert "The last eval loss logged is NaN." in frame.at[1, "eval_loss_note"]


def test_an_eval_loss_that_is_not_the_best_one_says_so_and_has_no_step():
    frame = table_of(run("1", None, eval_loss=0.4, best_step=7))
    assert frame.at[0, "eval_loss_text"] == "0.4"
    assert frame.at[0, "eval_loss_note"].startswith("No finite best eval loss is recorded")


def test_the_loss_shown_is_the_loss_scored():
    for case in (
        run("1", None, eval_loss=0.4),
        run("1", math.nan, eval_loss=0.5),
        run("1", 0.0, eval_loss=1.0),
    ):
        assert table_of(case).at[0, "eval_loss"] == eval_loss_of(case)


def test_a_logged_perplexity_wins_and_a_huge_loss_overflows_to_infinity():
    frame = table_of(run("1", 0.3, perplexity=9.0), run("2", 1000.0))
    assert list(frame["perplexity"]) == [9.0, math.inf]
    assert list(frame["perplexity_text"]) == ["9.000", "∞"]
    assert list(frame["perplexity_origin"]) == ["logged", "computed"]


def test_the_score_shows_its_parts_or_why_there_is_none():
    frame = table_of(run("1", 0.3416392, 0.2926), run("2", 0.3, status=RunStatus.RUNNING, duration_s=5.0))
    assert frame.at[0, "score_text"] == "100.0"
    assert frame.at[0, "score_note"].startswith("Eval loss 100.00 points, gap 100.00 points. It depends on")
    assert (frame.at[1, "score_text"], frame.at[1, "score_note"]) == (NOT_RECORDED, "Left out: still running.")
    assert frame.at[1, "duration_note"].startswith("So far")


# Marks


def test_best_and_worst_need_two_different_finite_values():
    assert marks_of("eval_loss", run("1", 0.3)) == [""]
    assert marks_of("eval_loss", run("1", 0.3), run("2")) == ["", ""]
    assert marks_of("eval_loss", run("1", 0.3), run("2", 0.3)) == ["", ""]
    assert marks_of("eval_loss", run("1"), run("2")) == ["", ""]
    assert marks_of("eval_loss", run("1", 0.3), run("2", 0.2)) == ["worst", "best"]


def test_ties_are_shown_as_ties():
    tied = [run("1", 0.2), run("2", 0.2), run("3", 0.3), run("4", 0.3), run("5", 0.25)]
    assert marks_of("eval_loss", *tied) == ["tie-best", "tie-best", "worst", "worst", ""]


def test_nan_and_infinity_neither_win_nor_lose():
    runs = [run("1", math.nan), run("2", -math.inf), run("3", 0.2), run("4", 0.3), run("5", math.inf)]
    assert marks_of("eval_loss", *runs) == ["", "", "best", "worst", ""]


def test_zero_is_the_best_loss():
    assert marks_of("eval_loss", run("1", 0.0), run("2", 0.1)) == ["best", "worst"]


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
    summary = summary_of_runs(*runs)
    found = marked(summary)
    assert list(found.columns) == [column.key for column in COLUMNS]
    assert set(found.to_numpy().ravel()) <= {"", *Mark}
    for column in COLUMNS:
        winners = found[column.key].isin(["best", "tie-best"]).sum()
        assert (winners > 0) == (found[column.key] == "worst").any()
        assert column.better or not winners
        assert (found[column.key] == "best").sum() in (0, winners)
    order = list(range(len(runs)))
    shuffle.shuffle(order)
    shuffled = marked(summary_of_runs(*[runs[n] for n in order]))
    assert shuffled.equals(found.iloc[order].reset_index(drop=True))


# Export


def exported(*runs):
    return list(csv.DictReader(io.StringIO(to_csv(summary_of_runs(*runs)))))


def test_the_export_holds_full_precision_and_units():
    (row,) = exported(run("1", 0.1 + 0.2, 1 / 3, best_step=2025, duration_s=12_000.5, samples_per_second=1.5))
    assert float(row["Eval loss"]) == 0.1 + 0.2
    assert float(row["Train loss"]) == 1 / 3
    assert row["Steps to best (steps)"] == "2025"
    assert row["Duration (s)"] == "12000.5"
    assert row["Speed (samples/s)"] == "1.5"
    assert row["Perplexity origin"] == "computed"


def test_missing_nan_infinity_and_zero_are_exported_differently():
    rows = exported(run("1", None), run("2", math.nan), run("3", math.inf), run("4", 0.0))
    assert [row["Eval loss"] for row in rows] == ["", "NaN", "inf", "0"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "＝"])
def test_text_that_a_spreadsheet_would_run_is_disarmed(start):
    evil = f'{start}HYPERLINK("x")'
    row = SummaryInput(run=RunSummary(run_id=evil, name=evil, dataset=evil, base_model=evil), label=evil)
    (written,) = csv.DictReader(io.StringIO(to_csv(summary_of([row])), newline=""))
    for header in ("Run id", "Run", "Model", "Dataset"):
        assert written[header] == "'" + evil


def test_negative_numbers_stay_numbers_in_the_export():
    (row,) = exported(run("1", 0.2, 0.3))
    assert float(row["Gap"]) == pytest.approx(-0.1)


def test_the_frame_takes_a_score_as_it_is():
    score = RunScore(RunValues("1", 0.2, eval_loss=0.2), 12.5, 10.0, 40.0, "unknown")
    frame = summary_frame([SummaryInput(run=run("1", 0.2), label="L", score=score)])
    assert frame.at[0, "score"] == 12.5
    assert isinstance(frame, pd.DataFrame)


MADE = (("1", 0.1, 9.0), ("2", 0.3, 5.0), ("3", 0.2, 7.0), ("4", 0.9, 1.0), ("5", 0.8, 2.0))


def test_losses_are_best_and_worst_among_runs_of_a_class_and_other_columns_among_all():
    table = summary_of_runs(*(run(name, loss, duration_s=seconds) for name, loss, seconds in MADE))
    found = marked(table, Alike([{"2", "3"}, {"4", "5"}], []))
    assert found["eval_loss"].tolist() == ["", "worst", "best", "worst", "best"]
    assert found["duration"].tolist() == marked(table)["duration"].tolist()
    assert marked(table, Alike([], []))["eval_loss"].tolist() == [""] * 5
    everybody = {"1", "2", "3", "4", "5"}
    assert marked(table, Alike([everybody], [])).equals(marked(table))


def test_a_class_of_one_run_has_no_best():
    table = summary_of_runs(*(run(name, loss) for name, loss, _ in MADE[:2]))
    assert marked(table, Alike([{"1"}, {"2"}], []))["eval_loss"].tolist() == ["", ""]


def test_a_mark_says_of_which_runs_it_is():
    table = summary_of_runs(*(run(name, loss) for name, loss, _ in MADE))
    notes = mark_notes(table, Alike([{"1", "2", "3"}, {"4", "5"}], []))["eval_loss"]
    three, two = "of the 3 runs that compare.", "of the 2 runs that compare."
    assert notes == [
        f"Best: the lowest {three}", f"Worst: the highest {three}", "", f"Worst: the highest {two}",
        f"Best: the lowest {two}",
    ]  # fmt: skip
    assert mark_notes(table)["eval_loss"][0] == "Best: the lowest of 5 runs."


def test_a_reward_is_compared_among_runs_whose_rewards_are_the_sum_of_the_same():
    column = Column("eval_reward", "Reward", "Reward.", Group.FURTHER, better="higher", metric="eval_reward")
    table = summary_with(column, "abc", [0.2, 0.5, 0.9])
    alike = Alike([{"a", "b", "c"}], [{"a", "b", "c"}], [{"a", "b"}, {"c"}])
    assert marked(table, alike)["eval_reward"].tolist() == ["worst", "best", ""]
    assert marked(table, alike._replace(rewards=None))["eval_reward"].tolist() == ["worst", "", "best"]


def test_a_tie_and_a_run_without_a_value_are_counted_as_they_are():
    table = summary_of_runs(run("1", 0.1), run("2", 0.1), run("3", 0.2), run("4", None))
    assert mark_notes(table)["eval_loss"] == [
        "Best, tied: the lowest of 3 runs.", "Best, tied: the lowest of 3 runs.", "Worst: the highest of 3 runs.", "",
    ]  # fmt: skip


def test_a_task_metric_is_compared_among_runs_whose_data_and_labels_are_the_same():
    column = Column("eval_f1", "F1", "F1.", Group.FURTHER, better="higher", metric="eval_f1")
    table = summary_with(column, "abcd", [0.9, 0.5, 0.7, 0.2])
    alike = Alike([{"a"}, {"b"}, {"c"}], [{"b", "c", "d"}])
    assert marked(table, alike)["eval_f1"].tolist() == ["", "", "best", "worst"]
    assert mark_notes(table, alike)["eval_f1"] == [
        "", "", "Best: the highest of the 3 runs that compare.", "Worst: the lowest of the 3 runs that compare.",
    ]  # fmt: skip


# Of the checkpoint that would be shipped


SHIPPED = RunValues("1", 0.9, 300, 0.5, 0.45, True, 0.05)
"""An F1 of 0.9 at step 300 decides, where the eval loss is 0.5."""


def by_f1(values=SHIPPED, **fields):
    of = run("1", 0.4, best_step=200, best_epoch=2.0, total_steps=600, perplexity=9.0)
    return SummaryInput(run=of, label="L", values=values, deciding="eval_f1", **fields)


def test_the_eval_loss_is_that_of_the_checkpoint_and_the_lowest_is_said_beside_it():
    cells = summary_frame([by_f1()]).iloc[0]
    assert (cells["eval_loss"], cells["eval_loss_text"]) == (0.5, "0.5")
    assert cells["eval_loss_note"] == "Measured at step 300. The lowest is 0.4000 at step 200."
    assert (cells["lowest_eval_loss"], cells["lowest_eval_loss_text"]) == (0.4, "0.4")
    assert cells["lowest_eval_loss_note"] == "Measured at step 200, epoch 2."
    assert cells["steps_to_best_text"] == "300"
    assert cells["train_loss_note"] == "The mean up to step 300."


def test_a_step_without_an_eval_loss_shows_none_and_says_which_is_the_lowest():
    values = RunValues("1", 0.9, 300)
    cells = summary_frame([by_f1(values=values)]).iloc[0]
    assert math.isnan(cells["eval_loss"])
    assert cells["eval_loss_text"] == NOT_RECORDED
    assert cells["eval_loss_note"] == "No eval loss is logged at step 300. The lowest is 0.4000 at step 200."


def test_the_loss_of_a_named_set_is_said_to_be_that():
    values = RunValues("1", 0.7, 300, 0.7)
    cells = summary_frame([by_f1(values=values, loss_metric="eval_alpha_loss")]).iloc[0]
    assert cells["eval_loss_text"] == "0.7"
    assert cells["eval_loss_note"] == "Measured at step 300. It is the eval loss on alpha."


def test_a_perplexity_is_of_that_step_too_and_not_the_last_one_stored():
    logged, computed = summary_frame([by_f1(shipped={"perplexity": 1.7}), by_f1()]).to_dict("records")
    assert (logged["perplexity"], logged["perplexity_origin"]) == (1.7, "logged")
    assert logged["perplexity_note"] == "As logged at step 300."
    assert (computed["perplexity"], computed["perplexity_origin"]) == (math.exp(0.5), "computed")
    assert computed["perplexity_note"] == "exp(eval loss): no perplexity is logged at step 300."


# Columns of metrics without an entry


def test_any_metric_can_be_a_column_of_its_own():
    names = ["eval_f1", "grad_norm", "speed of light", "gap", "eval_loss", "eval_alpha_loss"]
    found = {column.metric: column for column in further_columns(names, {"eval_f1": "higher"})}
    assert set(found) == {"eval_f1", "grad_norm", "speed of light", "gap", "eval_alpha_loss"}, "eval loss has one"
    assert found["eval_f1"].better == "higher"
    assert (found["gap"].in_link, found["eval_f1"].in_link) == ("metric:gap", "eval_f1")
    assert found["eval_alpha_loss"].of_loss
    assert not found["eval_f1"].of_loss
    assert all(re.fullmatch(r"metric_[0-9a-f]+", column.key) for column in found.values())
    assert len({column.key for column in found.values()}) == len(found)


def test_an_evaluated_metric_shows_its_value_at_that_step_and_any_other_its_median():
    columns = further_columns(["eval_f1", "eval_bleu", "grad_norm", "=cmd"], {"eval_f1": "higher"})
    row = by_f1(shipped={"eval_f1": 0.9}, medians={"grad_norm": 1.5, "=cmd": None})
    summary = summary_of([row], columns)
    frame = frame_of(summary)
    cells = {
        column.metric: frame.loc[0, [column.key + end for end in ("_text", "_note")]].tolist() for column in columns
    }
    assert cells["eval_f1"] == ["0.9", "At step 300."]
    assert cells["eval_bleu"] == [NOT_RECORDED, "Not logged at step 300."]
    assert cells["grad_norm"] == ["1.500", ""]
    assert cells["=cmd"][0] == NOT_RECORDED
    assert "not known" in cells["=cmd"][1]
    (written,) = csv.DictReader(io.StringIO(to_csv(summary)))
    assert (written["eval_f1"], written["eval_bleu"], written["Gradient norm"]) == ("0.9", "", "1.5")
    assert "'=cmd" in written, "no formula"


def test_a_mean_reward_that_decides_is_shown_where_it_decides():
    (column,) = further_columns(["reward"], {"reward": "higher"})
    row = SummaryInput(run=run("1"), label="L", values=RunValues("1", 0.25, 300), deciding="reward")
    assert summary_frame([row], [column]).at[0, column.key] == 0.25
    other = SummaryInput(run=run("1"), label="L", values=SHIPPED, deciding="eval_f1", medians={"reward": 0.1})
    assert summary_frame([other], [column]).at[0, column.key] == 0.1
