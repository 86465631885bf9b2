"""Cautions about comparing eval losses; the verdict's other sentences are tested with the summary."""

from __future__ import annotations

import itertools

from lib.core.runs import RunStatus, RunSummary
from lib.core.summary import SummaryInput
from lib.core.verdict import comparability_cautions


def row(run_id, loss=0.5, **fields):
    run = RunSummary(run_id=run_id, name=run_id, status=RunStatus.COMPLETED, best_eval_loss=loss, **fields)
    return SummaryInput(run=run, label=run_id)


def test_the_same_dataset_and_model_give_no_caution():
    rows = [row("a", dataset="x/1/chat.jsonl", base_model="m"), row("b", dataset="y/2/chat.jsonl", base_model="m")]
    assert comparability_cautions(rows) == []


def test_what_a_run_does_not_say_gives_no_caution():
    assert comparability_cautions([row("a", dataset="chat.jsonl", base_model="m"), row("b")]) == []
    assert comparability_cautions([]) == []


def test_different_datasets_and_base_models_are_both_named_in_any_order():
    rows = [row("a", dataset="a.jsonl", base_model="m1"), row("b", dataset="b.jsonl", base_model="m2"), row("c")]
    said = {tuple(comparability_cautions(order)) for order in itertools.permutations(rows)}
    assert len(said) == 1
    on_data, on_model = said.pop()
    assert "a.jsonl, b.jsonl" in on_data
    assert "m1, m2" in on_model


def test_a_run_without_an_eval_loss_is_not_compared():
    assert comparability_cautions([row("a", dataset="a.jsonl"), row("b", loss=None, dataset="b.jsonl")]) == []
