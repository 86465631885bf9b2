"""Logs as trainers leave them, read from their folders: which of them are of one class."""

from __future__ import annotations

import pytest

from lib.core.facts.query import RunQuery
from lib.core.ranking.comparability import comparability_of
from lib.core.ranking.comparability_aspects import Aspect
from lib.data.folder.source import FolderSource
from tests.app.harness import write_run

LOSSES = [1.9, 1.7, 1.5, 1.4]
RATES = [{"step": step, "learning_rate": 1e-4, "grad_norm": 0.9} for step in range(1, 5)]
PAIRED = [{**row, "rewards/chosen": 0.1, "rewards/accuracies": 0.6, "logps/chosen": -118.0} for row in RATES]
GROUPED = [{**row, "reward": 0.4, "reward_std": 0.3, "completions/mean_length": 120.0} for row in RATES]
SPELT = [{"step": row["step"], "reward": "1.6", "kl": "0.065", "percentage": "8.33%"} for row in RATES]
TOKENS = [{**row, "mean_token_accuracy": 0.6, "entropy": 1.1} for row in RATES]
JUDGED = [{**row, "eval_macro-avg-f1score": 0.43, "eval_accuracy_thresh": 0.9} for row in RATES]

# each run's rows and arguments, and the classes
FOLDERS = {
    "DPO beside SFT": ({"dpo": (PAIRED, None), "sft": (TOKENS, None)}, "dpo/sft"),
    "DPO beside a log of losses": ({"dpo": (PAIRED, None), "sft": (RATES, None)}, "dpo/sft"),
    "DPO beside a classifier": ({"c": (JUDGED, None), "dpo": (PAIRED, None)}, "c/dpo"),
    "two of GRPO beside SFT": ({"a": (GROUPED, None), "b": (GROUPED, None), "sft": (RATES, None)}, "a b/sft"),
    "numbers as text": ({"a": (SPELT, {"rlhf_type": "grpo"}), "b": (SPELT, {"rlhf_type": "grpo"})}, "a b"),
    "two types of ms-swift": ({"d": (RATES, {"rlhf_type": "dpo"}), "k": (RATES, {"rlhf_type": "kto"})}, "d/k"),
    "one type, one source of names": ({"d": (RATES, {"rlhf_type": "dpo"}), "e": (PAIRED, {"rlhf_type": "dpo"})}, "d e"),
    "a log against its arguments": ({"d": (PAIRED, {"stage": "sft"}), "s": (TOKENS, {"stage": "sft"})}, "d/s"),
    "SFT that generates": (
        {"a": ([*RATES, {"step": 4, "eval_rouge1": 0.3, "completions/mean_length": 9.0}], None), "b": (RATES, None)},
        "a b",
    ),
}


@pytest.mark.parametrize(("runs", "classes"), FOLDERS.values(), ids=FOLDERS)
@pytest.mark.parametrize("of_loss", [True, False])
def test_the_classes_of_logs(tmp_path, runs, classes, of_loss):
    found = compared(tmp_path, runs, of_loss=of_loss)
    assert {" ".join(each.run_ids) for each in found.classes} == set(classes.split("/"))


def compared(path, runs, **how):
    for name, (rows, args) in runs.items():
        write_run(path / name, LOSSES, [1.6, 1.5], rows=rows, args=args)
    source = FolderSource(path)
    summaries = source.list_runs(RunQuery(limit=100)).runs
    found = source.load_curves([run.run_id for run in summaries])
    return comparability_of(summaries, found, **how)


def test_a_pair_says_what_it_was_told_by(tmp_path):
    runs = {"d": (PAIRED, {"stage": "sft"}), "s": (TOKENS, {"stage": "sft"})}
    (pair,) = compared(tmp_path, runs).pairs
    assert pair.aspects[Aspect.METHOD].shown == ("DPO or SimPO by its metrics, SFT by its configuration", "SFT")
