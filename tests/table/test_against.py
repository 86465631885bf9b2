"""The table beside a baseline: a difference in each cell that has one, in the digits of the cell, and in the export."""

from __future__ import annotations

import csv
import io

import pytest

from lib.core.baseline.against import Baseline
from lib.core.baseline.differences import Sense
from lib.core.facts.selection import BASELINE_WORD
from lib.core.text.precision import MINUS
from lib.table.against import with_baseline
from lib.table.cells import summary_of
from lib.table.csv_file import to_csv
from lib.table.inputs import SummaryInput
from lib.table.layout import laid_out
from lib.table.text_files import to_latex, to_markdown
from tests.report.judged import judged, run


def table(*runs, base="a", pinned=True, noise=0.001, rates=None):
    compared = judged(*runs, noise=noise)
    decision = compared.decision
    rows = [
        SummaryInput(
            run=each,
            label=f"={each.run_id}",
            values=decision.values.get(each.run_id),
            deciding=decision.deciding.metric,
            score=decision.common_score(each.run_id),
            configured_learning_rate=(rates or {}).get(each.run_id),
            batch=4,
            medians={"tokens_per_second": 1000.0 if each.run_id == "a" else 1200.0},
        )
        for each in compared.runs
    ]
    baseline = Baseline(base, "=a", compared.runs, compared.curves, decision)
    return with_baseline(summary_of(rows), baseline if pinned else None)


def cell(summary, key, run_id):
    return summary.cells[key][summary.run_ids.index(run_id)]


RATES = {"a": 1e-4, "b": 3e-4}


def test_every_cell_with_a_value_has_its_difference():
    found = table(run("a", 0.6), run("b", 0.5), rates=RATES)
    loss = cell(found, "eval_loss", "b")
    assert loss.against.sense is Sense.BETTER
    decimals = len(loss.text.partition(".")[2])
    assert loss.against.text.startswith(f"{MINUS}0.1")
    assert len(loss.against.text.split()[0].partition(".")[2]) == decimals
    assert loss.note.endswith("lower than =a: better, beyond the noise.")
    assert cell(found, "score", "b").against.sense is Sense.BETTER
    assert cell(found, "learning_rate", "b").against.text == "+2e-4"
    assert cell(found, "tokens_per_second", "b").against.text == "+200 (+20%)"
    assert cell(found, "tokens_per_second", "b").against.sense is Sense.BETTER
    assert cell(found, "batch", "b").against.text == "same"
    assert cell(found, "status", "b").against is None
    assert cell(found, "findings", "b").against is None


def test_the_baseline_is_named_and_differs_from_itself_in_nothing():
    found = table(run("a", 0.6), run("b", 0.5))
    assert cell(found, "run", "a").against.text == BASELINE_WORD
    assert [key for key, cells in found.cells.items() if cells[0].against is not None] == ["run"]


def test_what_has_no_winner_is_neither_better_nor_worse():
    found = table(run("a", 0.6, train=0.5), run("b", 0.5, train=0.3))
    for key in ("train_loss", "gap", "learning_rate", "batch"):
        against = cell(found, key, "b").against
        assert against is None or against.sense is Sense.NEITHER


def test_losses_that_do_not_compare_say_so_and_the_rest_is_compared():
    found = table(run("a", 0.6), run("b", 0.5, dataset="other/data"), rates=RATES)
    for key in ("eval_loss", "lowest_eval_loss", "perplexity"):
        assert cell(found, key, "b").against is None
        assert "No difference to =a: different evaluation data" in cell(found, key, "b").note
    assert cell(found, "learning_rate", "b").against.text == "+2e-4"


def test_a_computed_perplexity_is_level_where_the_loss_is():
    runs = run("a", 0.6), run("b", 0.6005)
    assert cell(table(*runs, noise=0.02), "perplexity", "b").against.sense is Sense.LEVEL


def test_without_one_the_table_and_its_layout_stay_as_they_are():
    runs = run("a", 0.6), run("b", 0.5)
    plain, beside = table(*runs, pinned=False), table(*runs)
    assert not [each for cells in plain.cells.values() for each in cells if each.against]
    shown = [
        [each.column.key for each in laid_out(found, "eval_loss", by_score=True, labels={"a": "a", "b": "b"}).columns]
        for found in (plain, beside)
    ]
    assert shown[0] == shown[1]
    assert "Baseline" not in to_csv(plain)


def test_the_export_has_difference_share_and_word_and_no_formula():
    first, second = csv.DictReader(io.StringIO(to_csv(table(run("a", 0.6), run("b", 0.5), rates=RATES))))
    assert (first["Baseline"], second["Baseline"]) == ("yes", "no")
    assert first["Eval loss: difference to the baseline"] == ""
    assert 0.5 - 0.6 != -0.1, "the subtraction has an error"
    assert second["Eval loss: difference to the baseline"] == "-0.1"
    assert float(second["Eval loss: share of the baseline"]) < 0
    assert second["Eval loss: better or worse"] == "better"
    assert second["Learning rate: share of the baseline"] == ""
    assert second["Run"] == "'=b"


@pytest.mark.parametrize(("written", "minus"), [(to_markdown, MINUS), (to_latex, "$-$")])
def test_the_table_as_text_has_the_differences_that_are_shown(written, minus):
    summary = table(run("a", 0.6), run("b", 0.5), rates=RATES)
    names = {run_id: run_id for run_id in summary.run_ids}
    layout = laid_out(summary, "eval_loss", ["run", "eval_loss"], by_score=False, labels=names, recommended="b")
    text = written(summary, layout, "b")
    assert f"{minus}0.1" in text
    assert BASELINE_WORD in text
    plain = table(run("a", 0.6), run("b", 0.5), rates=RATES, pinned=False)
    assert f"{minus}0.1" not in written(plain, layout, "b")
