from __future__ import annotations

import pytest

from lib.core.facts.runs import RunSummary
from lib.core.ranking.comparability import comparability_of
from lib.core.ranking.comparability_aspects import ASPECTS, Aspect
from tests.core.ranking.comparable_runs import (
    CLASSIFIER,
    COMPLETE,
    DIFFERENT,
    DPO,
    GRPO,
    LABELS,
    LLAMA_3_8B,
    LLAMA_3_70B,
    SAME,
    UNSURE,
    UUID_A,
    UUID_B,
    agreement_in,
    pair_of,
    run_of,
)

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
