from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.aspects.facts import Agreement
from lib.core.config.base_models import TOKENIZER_FAMILIES, tokenizer_family
from lib.core.curves.metric_curves import complete_curve
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


DPO, GRPO = {"method": "dpo", "beta": 0.1}, {"method": "grpo"}
CLASSIFIER = {"method": ..., "task_type": "SEQ_CLS"}

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
    "beta": ("beta", DPO, {**DPO, "beta": 0.5}, DIFFERENT, DIFFERENT),
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


def classes_of(runs):
    return [each.run_ids for each in comparability_of(runs).classes]


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
