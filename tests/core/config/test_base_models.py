"""Which family of tokenizers a model has, by its name."""

from __future__ import annotations

import pytest

from lib.core.config.base_models import TOKENIZER_FAMILIES, tokenizer_family

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
