from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.aspects.facts import Agreement
from lib.core.config.base_models import TOKENIZER_FAMILIES, tokenizer_family
from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.facts.runs import RunSummary
from lib.core.ranking.comparability import comparability_of, relative_improvement
from lib.core.ranking.comparability_aspects import ASPECTS, Aspect

SAME, DIFFERENT, UNSURE = Agreement

UUID_A = "5f3a9c1e-0000-4000-8000-00000000abcd"
UUID_B = "77aa0b2c-1111-4111-8111-11111111dcba"
LLAMA_3_8B, LLAMA_3_70B = "meta-llama/Meta-Llama-3-8B", "meta-llama/Meta-Llama-3-70B"

COMPLETE = {
    "method": "sft", "dataset": "tatsu-lab/alpaca", "eval_split": 0.1, "base_model": LLAMA_3_8B, "max_length": 2048,
    "packing": False, "completion_only_loss": True,
}  # fmt: skip
"""A configuration that leaves nothing open."""


def run_of(run_id="a", columns=None, **config):
    """A run whose configuration is ``COMPLETE`` but for ``config``; a key of ``...`` is left out."""
    merged = {key: value for key, value in {**COMPLETE, **config}.items() if value is not ...}
    return RunSummary(run_id=run_id, name=run_id, config={"training": merged}, **(columns or {}))


def pair_of(first, second):
    (pair,) = comparability_of([first, second]).pairs
    return pair


def agreement_in(pair, key):
    return pair.aspects[key].agreement if key in pair.aspects else None


NO_SPLIT = {"eval_split": ...}
DPO, GRPO = {"method": "dpo", "beta": 0.1}, {"method": "grpo"}
CLASSIFIER = {"method": ..., "task_type": "SEQ_CLS"}


def LABELS(count):
    return {**CLASSIFIER, "num_labels": count}


# aspect, one run, the other run, their agreement in it, and in all
PAIRS = {
    "nothing differs": ("method", {}, {}, SAME, SAME),
    "a learning rate is no matter": ("method", {"learning_rate": 1e-4}, {"learning_rate": 2e-4}, SAME, SAME),
    "methods by their own names": ("method", {}, {"method": "supervised-fine-tuning"}, SAME, SAME),
    "SFT and DPO": ("method", {}, DPO, DIFFERENT, DIFFERENT),
    "DPO and ORPO": ("method", DPO, {"method": "orpo", "beta": 0.1}, DIFFERENT, DIFFERENT),
    "SFT and GRPO": ("method", {}, GRPO, DIFFERENT, DIFFERENT),
    "SFT and a classifier": ("method", {}, CLASSIFIER, DIFFERENT, DIFFERENT),
    "a method in axolotl's words": ("method", {"method": ..., "rl": "dpo", "beta": 0.1}, DPO, SAME, SAME),
    "a stage of LLaMA-Factory": ("method", {"method": ..., "stage": "sft"}, {}, SAME, SAME),
    "method not recorded": ("method", {"method": ...}, {}, UNSURE, UNSURE),
    "LoRA is not a method": ("method", {"method": "lora"}, {}, UNSURE, UNSURE),
    "LoRA twice": ("method", {"method": "lora"}, {"method": "lora"}, UNSURE, UNSURE),
    "one word of one's own": ("method", {"method": "distil"}, {"method": "Distil"}, SAME, SAME),
    "two words of one's own": ("method", {"method": "distil"}, {"method": "mine"}, UNSURE, UNSURE),
    "nothing but blanks": ("dataset", {"dataset": " "}, {"dataset": "/"}, UNSURE, UNSURE),
    "other data": ("dataset", {}, {"dataset": "databricks/dolly-15k"}, DIFFERENT, DIFFERENT),
    "data not recorded": ("dataset", {}, {"dataset": ...}, UNSURE, UNSURE),
    "data not recorded at all": ("dataset", {"dataset": ...}, {"dataset": ...}, UNSURE, UNSURE),
    "one name, two owners": ("dataset", {}, {"dataset": "yahma/alpaca"}, UNSURE, UNSURE),
    "one name, two uploads": (
        "dataset", {"dataset": f"up/{UUID_A}/chat.jsonl"}, {"dataset": f"up/{UUID_B}/chat.jsonl"}, UNSURE, UNSURE,
    ),
    "one upload": (
        "dataset", {"dataset": f"up/{UUID_A}/chat.jsonl"}, {"dataset": f"up/{UUID_A}/chat.jsonl"}, SAME, SAME,
    ),
    "the uuid in the name": (
        "dataset", {"dataset": f"up/{UUID_A}_chat.jsonl"}, {"dataset": f"up/{UUID_B}_chat.jsonl"}, UNSURE, UNSURE,
    ),
    "two names in two uploads": (
        "dataset", {"dataset": f"up/{UUID_A}/chat.jsonl"}, {"dataset": f"up/{UUID_B}/code.jsonl"}, DIFFERENT, DIFFERENT,
    ),
    "nothing but ids": (
        "dataset", {"dataset": f"up/{UUID_A}.jsonl"}, {"dataset": f"up/{UUID_B}.jsonl"}, UNSURE, UNSURE,
    ),
    "one name, two kinds of file": ("dataset", {"dataset": "d/chat.jsonl"}, {"dataset": "d/chat.csv"}, UNSURE, UNSURE),
    "a list in another order": ("dataset", {"dataset": ["x/a", "x/b"]}, {"dataset": ["x/b", "x/a"]}, SAME, SAME),
    "a list with one more": ("dataset", {"dataset": ["x/a"]}, {"dataset": ["x/b", "x/a"]}, DIFFERENT, DIFFERENT),
    "other training data, the same eval data": (
        "dataset", {"eval_file": "d/held_out.jsonl"}, {"eval_file": "d/held_out.jsonl", "dataset": "x/other"},
        SAME, SAME,
    ),
    "the same training data, other eval data": (
        "dataset", {"eval_dataset": "x/mmlu"}, {"eval_dataset": "x/gsm8k"}, DIFFERENT, DIFFERENT,
    ),
    "eval data of one": ("dataset", {"eval_dataset": "x/mmlu"}, {}, UNSURE, UNSURE),
    "other shares": ("eval_split", {}, {"eval_split": 0.2}, DIFFERENT, DIFFERENT),
    "a percentage": ("eval_split", {}, {"eval_split": "10%"}, SAME, SAME),
    "a share and a count": ("eval_split", {}, {"eval_split": 500}, UNSURE, UNSURE),
    "splits by name": ("eval_split", {"eval_split": "validation"}, {"eval_split": "test"}, DIFFERENT, DIFFERENT),
    "a share and a name": ("eval_split", {}, {"eval_split": "test"}, UNSURE, UNSURE),
    "split not recorded": ("eval_split", {}, {"eval_split": ...}, UNSURE, UNSURE),
    "a share drawn by another seed": ("eval_split", {"seed": 1}, {"seed": 2}, UNSURE, UNSURE),
    "a share drawn by the same seed": (
        "eval_split", {"seed": 1, "data_seed": 7}, {"seed": 2, "data_seed": 7}, SAME, SAME,
    ),
    "a named split needs no seed": (
        "eval_split", {"seed": 1, "eval_split": "test"}, {"seed": 2, "eval_split": "test"}, SAME, SAME,
    ),
    "two sizes of one family": ("tokenizer", {}, {"base_model": LLAMA_3_70B}, SAME, SAME),
    "a quantised copy": ("tokenizer", {}, {"base_model": "unsloth/llama-3-8b-bnb-4bit"}, SAME, SAME),
    "Llama 2 and Llama 3": ("tokenizer", {}, {"base_model": "meta-llama/Llama-2-7b-hf"}, DIFFERENT, DIFFERENT),
    "Llama 3 and Qwen 2.5": ("tokenizer", {}, {"base_model": "Qwen/Qwen2.5-7B"}, DIFFERENT, DIFFERENT),
    "a name that says nothing": ("tokenizer", {}, {"base_model": "our-model-v7"}, UNSURE, UNSURE),
    "one name that says nothing": (
        "tokenizer", {"base_model": "Our-Model-v7"}, {"base_model": "our-model-v7"}, SAME, SAME,
    ),
    "model not recorded": ("tokenizer", {}, {"base_model": ...}, UNSURE, UNSURE),
    "a stated tokenizer": ("tokenizer", {"base_model": "x/mine", "tokenizer_name": LLAMA_3_8B}, {}, SAME, SAME),
    "a classifier's loss is per example": (
        "tokenizer", CLASSIFIER, {**CLASSIFIER, "base_model": "Qwen/Qwen2.5-7B"}, None, SAME,
    ),
    "DPO against another reference": ("reference", DPO, {**DPO, "base_model": LLAMA_3_70B}, DIFFERENT, DIFFERENT),
    "DPO against the same reference": ("reference", DPO, DPO, SAME, SAME),
    "SFT has no reference": ("reference", {}, {"base_model": LLAMA_3_70B}, None, SAME),
    "completions against all tokens": ("masking", {}, {"completion_only_loss": False}, DIFFERENT, DIFFERENT),
    "masking in axolotl's words": (
        "masking", {}, {"completion_only_loss": ..., "train_on_inputs": False}, SAME, SAME,
    ),
    "masking not recorded": ("masking", {}, {"completion_only_loss": ...}, UNSURE, UNSURE),
    "masking that contradicts itself": ("masking", {}, {"train_on_inputs": True}, UNSURE, UNSURE),
    "packed and not": ("packing", {}, {"packing": True}, DIFFERENT, DIFFERENT),
    "packed only for training": ("packing", {}, {"packing": True, "eval_packing": False}, SAME, SAME),
    "packing not recorded": ("packing", {}, {"packing": ...}, UNSURE, UNSURE),
    "longer sequences": ("max_seq_length", {}, {"max_length": 4096}, DIFFERENT, SAME),
    "longer sequences by another name": ("max_seq_length", {}, {"max_length": ..., "cutoff_len": 2048}, SAME, SAME),
    "longer packed sequences": (
        "max_seq_length", {"packing": True}, {"packing": True, "max_length": 4096}, DIFFERENT, DIFFERENT,
    ),
    "length not recorded": ("max_seq_length", {}, {"max_length": ...}, UNSURE, SAME),
    "label smoothing": (
        "label_smoothing", {"label_smoothing_factor": 0.1}, {"label_smoothing_factor": 0.0}, DIFFERENT, DIFFERENT,
    ),
    "label smoothing of one": ("label_smoothing", {"label_smoothing_factor": 0.1}, {}, UNSURE, UNSURE),
    "label smoothing of none": ("label_smoothing", {}, {}, None, SAME),
    "loss types": ("loss_type", {**DPO, "loss_type": "ipo"}, {**DPO, "loss_type": "sigmoid"}, DIFFERENT, DIFFERENT),
    "IPO and DPO of axolotl": ("loss_type", {**DPO, "rl": "ipo"}, {**DPO, "rl": "dpo"}, DIFFERENT, DIFFERENT),
    "IPO by two names": ("loss_type", {**DPO, "rl": "ipo"}, {**DPO, "loss_type": "ipo"}, SAME, SAME),
    "DPO of no stated loss": ("loss_type", {**DPO, "loss_type": "sigmoid"}, DPO, UNSURE, UNSURE),
    "beta": ("beta", DPO, {**DPO, "beta": 0.5}, DIFFERENT, DIFFERENT),
    "a method in the words of ms-swift": (
        "method", {"method": ..., "rlhf_type": "dpo", "beta": 0.1}, DPO, SAME, SAME,
    ),
    "DPO and KTO of ms-swift": (
        "method", {"method": ..., "rlhf_type": "dpo"}, {"method": ..., "rlhf_type": "kto"}, DIFFERENT, DIFFERENT,
    ),
    "DPO and SimPO by the same trainer": (
        "method", {"method": "dpo", "pref_loss": "sigmoid"}, {"method": "dpo", "pref_loss": "simpo"}, DIFFERENT,
        DIFFERENT,
    ),
    "a classifier and a head of rewards": (
        "method", CLASSIFIER, {"method": ..., "lora_config": {"task_type": "SEQ_CLS"}}, UNSURE, UNSURE,
    ),
    "a split at the top and in the section of the data": (
        "eval_split", {}, {"data": {"eval_split": 0.3}}, SAME, SAME,
    ),
    "a number of labels": ("labels", LABELS(3), LABELS(5), DIFFERENT, DIFFERENT),
    "the same number of labels": ("labels", LABELS(3), LABELS(3), SAME, SAME),
    "labels by name": (
        "labels", {**CLASSIFIER, "id2label": {"0": "no", "1": "yes"}}, LABELS(2), SAME, SAME,
    ),
    "labels in a list": (
        "labels", {**CLASSIFIER, "label_names": ["a", "b", "c"]}, LABELS(2), DIFFERENT, DIFFERENT,
    ),
    "a number instead of classes": ("labels", LABELS(1), LABELS(2), DIFFERENT, DIFFERENT),
    "two regressions": ("labels", LABELS(1), LABELS(1), SAME, SAME),
    "one of several, several at once": (
        "labels", {**LABELS(3), "problem_type": "single_label_classification"},
        {**LABELS(3), "problem_type": "multi_label_classification"}, DIFFERENT, DIFFERENT,
    ),
    "labels of one": ("labels", LABELS(3), CLASSIFIER, UNSURE, UNSURE),
    "an SFT has no labels": ("labels", {"num_labels": 2}, {"num_labels": 3}, None, SAME),
    "focal loss and another": (
        "loss_type", {**CLASSIFIER, "focal_gamma": 2.0}, {**CLASSIFIER, "loss_type": "ce"}, DIFFERENT, DIFFERENT,
    ),
    "focal loss twice": (
        "loss_type", {**CLASSIFIER, "focal_gamma": 2.0}, {**CLASSIFIER, "loss_type": "focal", "focal_gamma": 2}, SAME,
        SAME,
    ),
    "two gammas": (
        "loss_type", {**CLASSIFIER, "focal_gamma": 2.0}, {**CLASSIFIER, "focal_gamma": 1.0}, DIFFERENT, DIFFERENT,
    ),
    "a gamma that is not stated": (
        "loss_type", {**CLASSIFIER, "focal_gamma": 2.0}, {**CLASSIFIER, "loss_type": "focal"}, UNSURE, UNSURE,
    ),
    "a gamma of 0": (
        "loss_type", {**CLASSIFIER, "focal_gamma": 0.0}, {**CLASSIFIER, "loss_type": "cross_entropy"}, SAME, SAME,
    ),
    "focal loss of one": ("loss_type", {**CLASSIFIER, "focal_gamma": 2.0}, CLASSIFIER, UNSURE, UNSURE),
    "focal loss switched off": (
        "loss_type", {**CLASSIFIER, "use_focal_loss": False}, {**CLASSIFIER, "use_focal_loss": True}, DIFFERENT,
        DIFFERENT,
    ),
    "one formula, two spellings": (
        "loss_type", {**CLASSIFIER, "loss_type": "CrossEntropyLoss"}, {**CLASSIFIER, "loss_function": "ce"}, SAME, SAME,
    ),
    "binary and over all": (
        "loss_type", {**CLASSIFIER, "loss_type": "bce_with_logits"}, {**CLASSIFIER, "loss_type": "ce"}, DIFFERENT,
        DIFFERENT,
    ),
    "class weights and none": (
        "loss_type", {**CLASSIFIER, "class_weights": [1.0, 4.0]}, {**CLASSIFIER, "class_weights": None}, UNSURE, UNSURE,
    ),
    "class weights switched off": (
        "loss_type", {**CLASSIFIER, "class_weights": [1.0, 4.0]}, {**CLASSIFIER, "class_weights": False}, DIFFERENT,
        DIFFERENT,
    ),
    "class weights in proportion": (
        "loss_type", {**CLASSIFIER, "class_weights": [1.0, 4.0]}, {**CLASSIFIER, "class_weights": [2, 8]}, SAME, SAME,
    ),
    "class weights all alike": (
        "loss_type", {**CLASSIFIER, "class_weights": [2.0, 2.0]}, {**CLASSIFIER, "class_weights": "none"}, None, SAME,
    ),
    "class weights worked out": (
        "loss_type", {**CLASSIFIER, "class_weights": "balanced"}, {**CLASSIFIER, "class_weights": [1.0, 4.0]}, UNSURE,
        UNSURE,
    ),
    "class weights by name": (
        "loss_type", {**CLASSIFIER, "class_weights": {"0": 1.0, "1": 4.0}}, {**CLASSIFIER, "class_weights": [1, 3]},
        DIFFERENT, DIFFERENT,
    ),
    "weighted by its word": (
        "loss_type", {**CLASSIFIER, "loss_type": "weighted_ce"},
        {**CLASSIFIER, "loss_type": "ce", "class_weights": False}, DIFFERENT, DIFFERENT,
    ),
    "a sum and a mean": (
        "reduction", {"loss_reduction": "sum"}, {"loss_reduction": "mean"}, DIFFERENT, DIFFERENT,
    ),
    "two templates": ("chat_template", {"template": "llama3"}, {"template": "qwen"}, DIFFERENT, DIFFERENT),
    "one template": ("chat_template", {"template": "llama3"}, {"chat_template": "Llama3"}, SAME, SAME),
    "a template as a path": (
        "chat_template", {"chat_template": "out/a/chat_template.jinja"}, {"chat_template": "llama3"}, UNSURE, UNSURE,
    ),
    "two paths of templates": (
        "chat_template", {"chat_template": "a/x.jinja"}, {"chat_template": "b/x.jinja"}, UNSURE, UNSURE,
    ),
    "a template written out in two ways": (
        "chat_template", {"chat_template": "{{ a }} {{b}}"}, {"chat_template": "{{ a }}\n{{ b }}"}, SAME, SAME,
    ),
    "the tokenizer's own template": (
        "chat_template", {"chat_template": "tokenizer_default"}, {"chat_template": "llama3"}, UNSURE, UNSURE,
    ),
    "a template of one": ("chat_template", {"template": "llama3"}, {}, UNSURE, UNSURE),
    "a classifier has no template": (
        "chat_template", {**CLASSIFIER, "template": "a"}, {**CLASSIFIER, "template": "b"}, None, SAME,
    ),
    "a padded vocabulary": ("vocabulary", {"vocab_size": 128256}, {"vocab_size": 128320}, DIFFERENT, SAME),
    "a resized vocabulary": ("vocabulary", {"vocab_size": 128256}, {"vocab_size": 160000}, DIFFERENT, DIFFERENT),
    "one vocabulary": ("vocabulary", {"vocab_size": 128256}, {"vocab_size": "128256"}, SAME, SAME),
    "a vocabulary of one": ("vocabulary", {"vocab_size": 128256}, {}, None, SAME),
    "added tokens": (
        "vocabulary", {"new_special_tokens": "<a>"}, {"new_special_tokens": "<a>,<b>"}, DIFFERENT, SAME,
    ),
    "other tokenizers have other vocabularies": (
        "vocabulary", {"vocab_size": 128256}, {"vocab_size": 151936, "base_model": "Qwen/Qwen2.5-7B"}, None, DIFFERENT,
    ),
    "weights rounded in one": ("quantization", {"load_in_4bit": True}, {"load_in_4bit": False}, DIFFERENT, SAME),
    "4 and 8 bits": ("quantization", {"quantization_bit": 4}, {"quantization_bit": 8}, DIFFERENT, SAME),
    "4 bits in two ways": ("quantization", {"quantization_bit": 4}, {"load_in_4bit": True}, None, SAME),
    "rounding not recorded": ("quantization", {"load_in_4bit": True}, {}, None, SAME),
    "two eval batches": (
        "eval_batch_size", {"per_device_eval_batch_size": 8}, {"per_device_eval_batch_size": 16}, DIFFERENT, SAME,
    ),
    "one eval batch": (
        "eval_batch_size", {"per_device_eval_batch_size": 8}, {"eval_batch_size": 8}, None, SAME,
    ),
    "a classifier's batches are weighted": (
        "eval_batch_size", {**CLASSIFIER, "eval_batch_size": 8}, {**CLASSIFIER, "eval_batch_size": 16}, None, SAME,
    ),
    "beta in a section": ("beta", DPO, {"method": "dpo", "dpo": {"beta": 0.1}}, SAME, SAME),
}  # fmt: skip


@pytest.mark.parametrize(("key", "first", "second", "agreement", "of_pair"), PAIRS.values(), ids=PAIRS)
def test_a_labelled_pair(key, first, second, agreement, of_pair):
    for one, other in ((first, second), (second, first)):
        pair = pair_of(run_of("a", **one), run_of("b", **other))
        assert agreement_in(pair, key) is agreement
        assert pair.agreement is of_pair


TRAINER = "train_loss grad_norm learning_rate eval_loss"
PAIRED = f"{TRAINER} rewards/chosen rewards/rejected rewards/accuracies logps/chosen"
SINGLE = f"{TRAINER} kl rewards/chosen rewards/rejected rewards/margins logps/chosen"
GROUPED = f"{TRAINER} reward reward_std kl completions/mean_length"
SILENT, SFT = {"method": ...}, {"method": "sft"}
CLASSES = f"{TRAINER} eval_f1/a eval_f1/b"

# aspect, one run with the names it logged, the other, their agreement in it
MODELLED = f"{TRAINER} min_reward max_reward mean_reward accuracy"
LOGGED = {
    "DPO beside SFT": ("method", SILENT, PAIRED, SILENT, f"{TRAINER} mean_token_accuracy", DIFFERENT),
    "DPO beside losses": ("method", SILENT, PAIRED, SILENT, TRAINER, DIFFERENT),
    "DPO beside nothing but losses": ("method", SILENT, PAIRED, SILENT, "train_loss eval_loss", DIFFERENT),
    "DPO beside evaluations alone": ("method", SILENT, PAIRED, SILENT, "eval_loss", UNSURE),
    "a reward model beside losses": ("method", SILENT, MODELLED, SILENT, "train_loss eval_loss", DIFFERENT),
    "DPO beside a classifier": ("method", SILENT, PAIRED, SILENT, "eval_macro-avg-f1score eval_loss", DIFFERENT),
    "DPO beside a stated SFT": ("method", SILENT, PAIRED, SFT, "", DIFFERENT),
    "DPO and KTO": ("method", SILENT, PAIRED, SILENT, SINGLE, DIFFERENT),
    "DPO and CPO": ("method", SILENT, PAIRED, SILENT, f"{PAIRED} nll_loss", UNSURE),
    "DPO and ORPO": ("method", SILENT, PAIRED, SILENT, f"{PAIRED} log_odds_ratio", DIFFERENT),
    "DPO twice, one by its losses only": ("method", DPO, PAIRED, DPO, TRAINER, SAME),
    "DPO twice, one stated": ("method", SILENT, PAIRED, DPO, PAIRED, UNSURE),
    "a log against its configuration": ("method", SFT, PAIRED, SFT, TRAINER, DIFFERENT),
    "two logs against their configurations": ("method", SFT, GROUPED, {"method": "dpo"}, GROUPED, UNSURE),
    "GRPO beside losses": ("method", SILENT, GROUPED, SILENT, TRAINER, DIFFERENT),
    "GRPO twice": ("method", GRPO, GROUPED, GRPO, TRAINER, SAME),
    "GRPO and an SFT judged by a reward": ("method", SILENT, GROUPED, SFT, f"{TRAINER} eval_reward", DIFFERENT),
    "SFT twice, one generates": ("method", SFT, f"{TRAINER} eval_rouge1 completions/mean_length", SFT, TRAINER, SAME),
    "losses twice": ("method", SILENT, TRAINER, SILENT, TRAINER, UNSURE),
    "a word of one's own beside DPO": ("method", {"method": "distil"}, "", SILENT, PAIRED, UNSURE),
    "a word of one's own twice": ("method", {"method": "distil"}, TRAINER, {"method": "distil"}, TRAINER, SAME),
    "the same classes": ("labels", CLASSIFIER, CLASSES, CLASSIFIER, CLASSES, SAME),
    "other classes": ("labels", CLASSIFIER, CLASSES, CLASSIFIER, f"{TRAINER} eval_f1/a eval_f1/c", DIFFERENT),
    "a class that was never met": ("labels", CLASSIFIER, CLASSES, CLASSIFIER, f"{CLASSES} eval_f1/c", UNSURE),
    "means over classes": (
        "labels", CLASSIFIER, "eval_f1_macro eval_f1_micro", CLASSIFIER, "eval_f1_weighted eval_f1_macro", None,
    ),
    "classes of an SFT": ("labels", SFT, CLASSES, SFT, f"{TRAINER} eval_f1/c eval_f1/d", None),
    "entities": (
        "labels", SILENT, "eval_LOC_precision eval_PER_precision eval_f1", SILENT,
        "eval_LOC_precision eval_ORG_precision eval_f1", DIFFERENT,
    ),
    "named sets are no classes": (
        "labels", CLASSIFIER, "eval_dev_precision eval_test_precision eval_dev_loss eval_test_loss", CLASSIFIER,
        "eval_x_precision eval_y_precision eval_x_loss eval_y_loss", None,
    ),
}  # fmt: skip


def logged_by(run_id, names):
    return RunCurves(run_id, {name: curve([1.0, 0.9]) for name in names.split()})


@pytest.mark.parametrize(("key", "first", "ones", "second", "others", "agreement"), LOGGED.values(), ids=LOGGED)
def test_a_labelled_pair_of_logs(key, first, ones, second, others, agreement):
    for (one, of_one), (other, of_other) in itertools.permutations([(first, ones), (second, others)]):
        curves = {"a": logged_by("a", of_one), "b": logged_by("b", of_other)}
        (pair,) = comparability_of([run_of("a", **one), run_of("b", **other)], curves).pairs
        assert agreement_in(pair, key) is agreement


def timed(run_id, *sizes, runtime=12.3456, rounded=3, **more):
    """Evaluations of so many examples, as a trainer logs their times and rates."""
    seconds = [round(runtime + 0.01 * turn, 4) for turn in range(len(sizes))]
    rates = [round(size / each, rounded) for size, each in zip(sizes, seconds, strict=True)]
    curves = {"eval_loss": [0.5] * len(sizes), "eval_runtime": seconds, "eval_samples_per_second": rates, **more}
    return RunCurves(run_id, {name: curve(values) for name, values in curves.items()})


# one run with the sizes of its evaluations, the other, their agreement in the split
SIZED = {
    "one size": ({}, [500] * 3, {}, [500] * 3, SAME),
    "two sizes": ({}, [500] * 3, {}, [480] * 3, DIFFERENT),
    "two sizes, splits not recorded": (NO_SPLIT, [500] * 3, NO_SPLIT, [501] * 3, DIFFERENT),
    "one size, splits not recorded": (NO_SPLIT, [500] * 3, NO_SPLIT, [500] * 9, SAME),
    "a large size, rounded": (NO_SPLIT, [200_000] * 3, NO_SPLIT, [200_000], SAME),
    "the test set at the end": (NO_SPLIT, [500, 500, 500, 900], NO_SPLIT, [500] * 3, SAME),
    "evaluations that do not agree": (NO_SPLIT, [500, 900], NO_SPLIT, [500, 500], UNSURE),
    "the last batch dropped": ({"eval_batch_size": 8}, [500] * 3, {"eval_batch_size": 8}, [496] * 3, UNSURE),
    "the last batch filled up": (
        {"eval_batch_size": 8, "num_gpus": 4}, [500] * 3, {"eval_batch_size": 8}, [512] * 3, UNSURE,
    ),
    "more than a batch": ({"eval_batch_size": 8}, [500] * 3, {"eval_batch_size": 8}, [480] * 3, DIFFERENT),
    "other shares, as many": ({}, [500] * 3, {"eval_split": 0.2}, [500] * 3, UNSURE),
    "other names, as many": ({"eval_split": "validation"}, [500], {"eval_split": "test"}, [500], DIFFERENT),
    "packed texts are no examples": ({"packing": True}, [500] * 3, {}, [140] * 3, SAME),
    "other data need no size": ({}, [500] * 3, {"dataset": "x/other"}, [480] * 3, None),
    "one eval set, other sizes": (
        {"eval_file": "d/a.jsonl"}, [500] * 3, {"eval_file": "d/a.jsonl"}, [400] * 3, DIFFERENT,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("first", "ones", "second", "others", "agreement"), SIZED.values(), ids=SIZED)
def test_a_labelled_pair_by_the_sizes_of_evaluations(first, ones, second, others, agreement):
    for (one, of_one), (other, of_other) in itertools.permutations([(first, ones), (second, others)]):
        curves = {"a": timed("a", *of_one), "b": timed("b", *of_other, runtime=3.2109)}
        (pair,) = comparability_of([run_of("a", **one), run_of("b", **other)], curves).pairs
        assert agreement_in(pair, "eval_split") is agreement


def test_sizes_of_named_sets_are_compared_set_by_set():
    runs = [run_of("a"), run_of("b")]
    named = {"eval_dev_runtime": [2.0, 2.0], "eval_dev_samples_per_second": [50.0, 50.0]}
    other = {**named, "eval_dev_samples_per_second": [60.0, 60.0]}
    curves = {"a": timed("a", 500, 500, **named), "b": timed("b", 500, 500, **other)}
    (pair,) = comparability_of(runs, curves).pairs
    assert pair.aspects[Aspect.EVAL_SPLIT].shown == ("100 eval examples of dev", "120 eval examples of dev")


@pytest.mark.parametrize(
    ("losses", "others", "agreement"),
    [([2.0, 1.5], [1.8, 1.2], None), ([2.0, 1.5], [700.0, 420.0], UNSURE), ([1e25, 1e25], [700.0, 420.0], None)],
)
def test_losses_that_no_mean_can_be_may_be_sums(losses, others, agreement):
    curves = {name: RunCurves(name, {"eval_loss": curve(each)}) for name, each in (("a", losses), ("b", others))}
    (pair,) = comparability_of([run_of("a"), run_of("b")], curves).pairs
    assert agreement_in(pair, "reduction") is agreement


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (("focal-loss", "cross-entropy"), ("focal loss by its name", "cross entropy by its name")),
        (("focal-loss", "baseline"), ("focal loss by its name", None)),
        (("focal-1", "focal-2"), None),
        (("balance", "dicey"), None),
        (("baseline", "second"), None),
    ],
)
def test_the_name_of_a_run_is_a_hint_at_its_formula_and_no_more(names, shown):
    first, second = (RunSummary(run_id=name, name=name, config={"training": {**COMPLETE}}) for name in names)
    pair = comparability_of([second, first]).pairs[0]
    found = pair.aspects.get(Aspect.LOSS_TYPE)
    if shown is None:
        assert found is None
    else:
        assert (found.agreement, set(found.shown)) == (UNSURE, set(shown))


OF_LOSS = {
    "loss_type": ({**DPO, "loss_type": "ipo"}, {**DPO, "loss_type": "sigmoid"}),
    "label_smoothing": ({"label_smoothing_factor": 0.1}, {"label_smoothing_factor": 0.0}),
    "masking": ({}, {"completion_only_loss": False}),
    "packing": ({}, {"packing": True}),
    "tokenizer": ({}, {"base_model": "Qwen/Qwen2.5-7B"}),
    "max_seq_length": ({"packing": True}, {"packing": True, "max_length": 4096}),
    "reduction": ({"loss_reduction": "sum"}, {"loss_reduction": "mean"}),
    "chat_template": ({"template": "llama3"}, {"template": "qwen"}),
    "vocabulary": ({"vocab_size": 100_000}, {"vocab_size": 128_000}),
    "beta": (DPO, {**DPO, "beta": 0.5}),
    "reference": (DPO, {**DPO, "base_model": LLAMA_3_70B}),
}
"""What differs in an aspect that only matters for a loss."""


@pytest.mark.parametrize(("key", "configs"), OF_LOSS.items(), ids=OF_LOSS)
def test_aspects_of_the_loss_keep_apart_only_where_a_loss_decides(key, configs):
    runs = [run_of(name, **config) for name, config in zip("ab", configs, strict=True)]
    assert Aspect(key).of_loss
    assert len(comparability_of(runs).classes) == 2
    assert classes_of(runs, of_loss=False) == [("a", "b")]


def test_data_labels_and_method_keep_apart_whatever_decides():
    always = {aspect for aspect in Aspect if not aspect.of_loss}
    assert always == {Aspect.METHOD, Aspect.DATASET, Aspect.EVAL_SPLIT, Aspect.LABELS, Aspect.QUANTIZATION}
    for other in (DPO, {"dataset": "x/other"}, {"eval_split": 0.2}):
        assert len(classes_of([run_of("a"), run_of("b", **other)], of_loss=False)) == 2
    assert len(classes_of([run_of("a", **LABELS(2)), run_of("b", **LABELS(3))], of_loss=False)) == 2


def test_leaving_the_loss_out_is_the_same_as_never_having_looked_at_it():
    runs = [run_of("a"), run_of("b", packing=True), run_of("c", dataset="x/other"), run_of("d", method=...)]
    found = comparability_of(runs)
    assert found.but_for_loss == comparability_of(runs, of_loss=False)
    assert found.but_for_loss.but_for_loss == found.but_for_loss
    assert comparability_of(runs[:1]).but_for_loss == comparability_of(runs[:1])


def test_a_different_number_of_eval_examples_is_another_set_whatever_its_name():
    first, second = (run_of(name, {"val_samples": count}) for name, count in (("a", 100), ("b", 120)))
    assert agreement_in(pair_of(first, second), "eval_split") is DIFFERENT


def test_one_name_and_equal_numbers_of_examples_are_one_dataset_uploaded_twice():
    paths = (f"up/{UUID_A}/chat.jsonl", f"up/{UUID_B}/chat.jsonl")
    counts = {"train_samples": 900, "val_samples": 100}
    first, second = (run_of(name, counts, dataset=path) for name, path in zip("ab", paths, strict=True))
    assert agreement_in(pair_of(first, second), "dataset") is SAME
    other = run_of("b", counts | {"train_samples": 901}, dataset=paths[1])
    assert agreement_in(pair_of(first, other), "dataset") is UNSURE


def test_a_split_that_is_stated_twice_with_different_values_is_not_known():
    twice = RunSummary(run_id="a", name="a", config={"training": COMPLETE, "eval_split": 0.2})
    assert agreement_in(pair_of(twice, run_of("b")), "eval_split") is UNSURE
    assert agreement_in(pair_of(twice, run_of("b", eval_split=0.3)), "eval_split") is DIFFERENT
    again = RunSummary(run_id="b", name="b", config={"training": COMPLETE, "eval_split": 0.2})
    assert agreement_in(pair_of(twice, again), "eval_split") is SAME


def test_columns_say_it_too():
    first, second = (
        RunSummary(run_id=name, name=name, dataset="x/chat", base_model=model)
        for name, model in (("a", LLAMA_3_8B), ("b", "mistralai/Mistral-7B-v0.1"))
    )
    pair = pair_of(first, second)
    assert (agreement_in(pair, "dataset"), agreement_in(pair, "tokenizer")) == (SAME, DIFFERENT)


def values_of(first, second, agreement):
    found = pair_of(first, second).having(agreement)
    return {aspect: (*compared.shown, compared.decides) for aspect, compared in found.items()}


def test_what_differs_or_is_not_known_has_both_values():
    plain = run_of("a")
    assert values_of(plain, run_of("b", packing=True), DIFFERENT) == {Aspect.PACKING: ("False", "True", True)}
    assert values_of(plain, run_of("b", max_length=4096), DIFFERENT) == {Aspect.MAX_SEQ_LENGTH: ("2048", "4096", False)}
    assert values_of(plain, run_of("b", base_model="mine"), UNSURE) == {Aspect.TOKENIZER: (LLAMA_3_8B, "mine", True)}
    assert values_of(plain, run_of("b", packing=...), UNSURE) == {Aspect.PACKING: ("False", None, True)}


def test_what_is_not_recorded_leaves_a_class_unsure():
    found = comparability_of([run_of("a", packing=...), run_of("b", packing=..., method=...)])
    assert found.classes[0].unsure == (Aspect.METHOD, Aspect.PACKING)


def test_every_aspect_is_compared_in_the_order_of_their_names():
    assert tuple(ASPECTS) == tuple(Aspect)


def classes_of(runs, **how):
    return [each.run_ids for each in comparability_of(runs, **how).classes]


def test_nothing_recorded_is_one_class_with_doubts():
    runs = [RunSummary(run_id=name, name=name) for name in "abc"]
    found = comparability_of(runs)
    assert classes_of(runs) == [("a", "b", "c")]
    assert found.classes[0].unsure


def test_a_run_that_says_nothing_joins_no_one_of_two_classes_that_differ():
    silent = RunSummary(run_id="z", name="z")
    first, again, other = run_of("a"), run_of("b"), run_of("c", packing=True)
    assert classes_of([first, again, silent]) == [("a", "b", "z")]
    assert classes_of([first, again, silent, other]) == [("a", "b"), ("c",), ("z",)]


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one(count):
    runs = [run_of("a")][:count]
    found = comparability_of(runs)
    assert (len(found.classes), found.pairs) == (count, ())


@given(
    configs=st.lists(
        st.fixed_dictionaries(
            {
                "method": st.sampled_from(["sft", "dpo", ...]),
                "packing": st.sampled_from([True, False, ...]),
                "base_model": st.sampled_from([LLAMA_3_8B, LLAMA_3_70B, "Qwen/Qwen3-8B", "mine", ...]),
                "eval_split": st.sampled_from([0.1, 0.2, ...]),
            }
        ),
        min_size=1,
        max_size=5,
    ),
    shuffle=st.randoms(use_true_random=False),
)
@settings(deadline=None, max_examples=40)
def test_classes_are_an_equivalence_relation_whatever_the_order(configs, shuffle):
    runs = [run_of(str(position), **config) for position, config in enumerate(configs)]
    found = comparability_of(runs)
    ids = [run_id for each in found.classes for run_id in each.run_ids]
    # Each run is in one class: the relation is reflexive, symmetric and transitive.
    assert sorted(ids) == sorted(run.run_id for run in runs)
    for pair in found.pairs:
        first, second = pair.run_ids
        together = found.class_of(first) is found.class_of(second)
        assert not (together and pair.agreement is DIFFERENT)
    shuffled = list(runs)
    shuffle.shuffle(shuffled)
    assert comparability_of(shuffled) == found


def test_a_run_that_was_not_compared_has_no_class():
    with pytest.raises(KeyError):
        comparability_of([run_of("a")]).class_of("b")


FAMILIES = {
    "meta-llama/Meta-Llama-3-8B": "Llama 3",
    "meta-llama/Llama-3.3-70B-Instruct": "Llama 3",
    "models/llama3_8b": "Llama 3",
    "meta-llama/Llama-2-13b-chat-hf": "Llama 2",
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0": "Llama 2",
    "codellama/CodeLlama-7b-hf": "Llama 2",
    "microsoft/Phi-3-mini-4k-instruct": "Llama 2",
    "mistralai/Mixtral-8x7B-v0.1": "Mistral 7B",
    "mistralai/Mistral-7B-Instruct-v0.2": "Mistral 7B",
    "Qwen/Qwen1.5-1.8B": "Qwen 1.5 to 3",
    "Qwen/Qwen3-8B": "Qwen 1.5 to 3",
    "google/gemma-2b": "Gemma 1 and 2",
    "google/gemma-2-9b-it": "Gemma 1 and 2",
    "google/gemma-3-4b-it": "Gemma 3",
    "microsoft/phi-1_5": "Phi-1 and 2",
    "openai-community/gpt2-xl": "GPT-2",
    "EleutherAI/pythia-1.4b": "GPT-NeoX",
    "google/flan-t5-base": "T5",
    "google/mt5-small": "mT5",
    "distilbert-base-uncased": "BERT uncased",
    "bigscience/bloom-560m": "BLOOM",
    "deepseek-ai/DeepSeek-R1": "DeepSeek V3",
    "deepseek-ai/DeepSeek-R1-Distill-Llama-8B": None,
    "mistralai/Mistral-7B-v0.3": None,
    "Qwen/Qwen3.5-8B": None,
    "openlm-research/open_llama_3b": None,
    "princeton-nlp/Sheared-LLaMA-2.7B": None,
    "hfl/chinese-llama-2-7b": None,
    "rinna/japanese-gpt2-medium": None,
    "out/llama-3-against-qwen2.5": None,
    "my-best-model": None,
    "": None,
    None: None,
}


@pytest.mark.parametrize(("model", "family"), FAMILIES.items())
def test_the_tokenizer_family_of_a_model(model, family):
    found = tokenizer_family(model)
    assert (found and found.name) == family


def test_families_have_names_of_their_own():
    assert len({family.name for family in TOKENIZER_FAMILIES}) == len(TOKENIZER_FAMILIES)


def curve(values):
    steps = np.arange(len(values)) * 10
    unknown = np.full(len(values), np.nan)
    return complete_curve(steps, np.array(values, dtype=np.float64), unknown, unknown)


@pytest.mark.parametrize(
    ("values", "share"),
    [
        ([2.0, 1.5, 1.0, 1.2], 0.5),
        ([1.0, 1.5], 0.0),
        ([1.0, 0.0], 1.0),
        ([1.0, np.nan, 0.75], 0.25),
        ([1.0], None),
        ([], None),
        ([np.nan, 1.0], None),
        ([0.0, 1.0], None),
        ([-1.0, -2.0], None),
        ([1.0, -2.0], None),
    ],
)
def test_the_improvement_on_the_first_evaluation(values, share):
    assert relative_improvement(curve(values)) == share


def test_repeats_are_not_evaluations():
    assert relative_improvement(curve([2.0, 1.0, 0.5]).where(np.array([True, True, False]))) == 0.5
    assert relative_improvement(curve([2.0, 1.0]).where(np.array([True, False]))) is None
