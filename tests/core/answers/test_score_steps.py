from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from lib.core.answers.score_steps import order_words, steps
from lib.core.ranking.deciding import EVAL_LOSS_DECIDES, Basis, Deciding
from lib.core.ranking.scoring import Recommendation, ranked
from lib.core.ranking.values import RunValues

F1 = Deciding("eval_f1", "higher", Basis.OWN_CHOICE)


def values(run_id, loss, train=None, eval_error=None, train_error=None, value=None):
    gap = None if train is None else loss - train
    return RunValues(
        run_id, loss if value is None else value, 100, loss, train, True, gap, eval_error=eval_error,
        train_error=train_error,
    )  # fmt: skip


def lines(*runs, deciding=EVAL_LOSS_DECIDES):
    recommendation = Recommendation(ranked(runs, deciding), (), deciding=deciding)
    return {step.title: step for step in steps(recommendation)}


TWO = values("a", 0.85, 0.75, 0.003, 0.004), values("b", 0.9, 0.87, 0.003, 0.004)


def test_the_lines_of_the_rule_are_those_that_a_hand_works_out():
    found = lines(*TWO)
    assert found["Eval loss E"].values == ("0.85", "0.9")
    assert "B = 0.85" in found["Eval-loss points"].rule
    # 100 * (0.90 / 0.95) ^ 10 = 58.2370
    assert found["Eval-loss points"].values == ("100.0000", f"{100 * (0.9 / 0.95) ** 10:.4f}")
    assert found["Eval-loss points"].put_in == ("100 × (0.9 / 0.9)^10", "100 × (0.9 / 0.95)^10")
    assert found["Gap"].values == ("+0.1", "+0.03")
    assert found["Error of the gap s"].values == ("0.005", "0.005")
    assert found["Error of the gap s"].put_in[0] == "√(0.003² + 0.004²)"
    # A gap at the edge of two bands is in each with a half.
    assert found["Share of 0.05 ≤ gap < 0.1"].values[0] == "0.500000"
    assert found["Share of 0.1 ≤ gap < 0.2"].values[0] == "0.500000"
    assert found["Gap points"].values[0] == "70.0000"
    assert found["Composite"].values[0] == "91.00"
    assert found["Composite"].put_in[0] == "0.70 × 100.0000 + 0.30 × 70.0000"
    assert [title for title, step in found.items() if step.is_result] == ["Composite"]


def test_what_is_put_in_gives_back_what_is_shown():
    found = lines(*TWO, values("c", 1.3, 1.37, 0.01, 0.02))
    for title, decimals in (("Eval-loss points", 3), ("Gap points", 3), ("Composite", 2)):
        for shown, put_in in zip(found[title].values, found[title].put_in, strict=True):
            assert re.fullmatch(r"[\d.()+/ ×^]+", put_in)
            worked_out = eval(put_in.replace("×", "*").replace("^", "**"))  # digits and signs only
            assert float(shown) == pytest.approx(worked_out, abs=10.0**-decimals)


def test_without_an_error_the_gap_has_the_points_of_its_band():
    found = lines(values("a", 0.85, 0.83), values("b", 0.86, 0.6))
    assert found["Gap points"].values == ("100.0000", "30.0000")
    assert found["Gap points"].put_in == ("1.000000 × 100", "1.000000 × 30")
    assert found["Error of the gap s"].values[0] == "not known: counts as 0"


def test_where_no_gap_is_known_the_loss_alone_ranks():
    found = lines(values("a", 0.85), values("b", 0.9))
    assert not {"Gap points", "Error of the gap s"} & set(found)
    assert found["Composite"].rule == "the eval-loss points alone, as no gap is known"


def test_a_loss_below_zero_counts_as_zero():
    found = lines(values("a", -0.2), values("b", 0.05))
    assert found["Eval-loss points"].put_in == ("100 × (0.05 / 0.05)^10", "100 × (0.05 / 0.1)^10")


def test_with_another_metric_its_value_ranks_and_there_are_no_points():
    found = lines(values("a", 0.9, 0.8, value=0.6), values("b", 0.8, 0.7, value=0.7), deciding=F1)
    assert [title for title, step in found.items() if step.is_result] == ["F1"]
    assert found["F1"].values == ("0.7", "0.6")
    assert found["F1"].rule == "ranks: highest first, no points"
    assert not {"Composite", "Eval-loss points", "Gap points"} & set(found)
    assert found["Behind the first"].values[0] == "–"
    assert float(found["Behind the first"].values[1]) == pytest.approx(0.1)


def test_a_tie_break_is_told():
    runs = ranked((values("b", 0.8), values("a", 0.8)))
    said = order_words(Recommendation(runs, ()), {"a": "A", "b": "B"})
    assert said == ("A and B are level; the first has the lower id.",)
    assert math.isclose(runs[0].total, runs[1].total)


@pytest.mark.parametrize(("in_epochs", "title"), [((True, True), "Best epoch"), ((True, False), "Best step")])
def test_the_rule_speaks_of_epochs_where_all_logs_count_these(in_epochs, title):
    runs = [replace(each, in_epochs=known) for each, known in zip(TWO, in_epochs, strict=True)]
    found = lines(*runs)
    assert next(iter(found)) == title
    unit, other = ("epoch", "step") if all(in_epochs) else ("step", "epoch")
    assert found["Eval loss E"].rule == f"logged at that {unit}"
    assert not any(re.search(rf"\b{other}s?\b", f"{step.title} {step.rule}") for step in found.values())
