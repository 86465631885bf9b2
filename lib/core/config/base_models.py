"""Families of base models: which cut the same text into the same tokens, and which train without dropout.

Told from the model's name alone, by a table of what the makers published. A name that the table does not know,
or that fits two of its lines, says nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TokenizerFamily:
    """Models that share a vocabulary of text pieces; special tokens and chat templates may differ.

    Attributes:
        name: For people.
        pattern: What a name of the family contains, in lower case with ``-`` for every separator but the dot.
    """

    name: str
    pattern: str


TOKENIZER_FAMILIES: tuple[TokenizerFamily, ...] = (
    # 3.1, 3.2 and 3.3 kept the tokenizer of 3; Llama 2 kept that of Llama 1.
    TokenizerFamily("Llama 3", r"llama-?3(?:\.[123])?(?![.\d]|b(?![a-z]))"),
    TokenizerFamily("Llama 4", r"llama-?4(?![.\d]|b(?![a-z]))"),
    TokenizerFamily(
        "Llama 2",
        r"llama-?2(?![.\d]|b(?![a-z]))|tinyllama|code-?llama|huggyllama|vicuna-(?:7|13|33)b"
        r"|phi-3-(?:mini|medium)|phi-3\.5-mini",
    ),
    # Mistral 7B 0.3 has more pieces; which of them text uses is not published, so nothing is claimed of it.
    TokenizerFamily("Mistral 7B", r"mistral-7b(?:-instruct)?-v0\.[12]|mixtral-8x7b|zephyr-7b-(?:alpha|beta)"),
    TokenizerFamily("Mistral Nemo", r"mistral-nemo"),
    # The 151,643 pieces are the same from Qwen 1.5 to Qwen 3; Qwen 3.5 has others.
    TokenizerFamily("Qwen 1.5 to 3", r"qwen-?(?:1\.5|2\.5|2|3)(?![.\d]|b(?![a-z]))"),
    TokenizerFamily("Gemma 1 and 2", r"gemma-(?:1\.1-)?[27]b|gemma-?2-(?:2|9|27)b|codegemma"),
    TokenizerFamily("Gemma 3", r"gemma-?3n?-(?:270m|1b|4b|12b|27b|e2b|e4b)"),
    TokenizerFamily("Phi-1 and 2", r"phi-(?:1(?:[.-]5)?|2)(?![.\d]|b(?![a-z]))"),
    TokenizerFamily("Phi-4", r"phi-4(?!-mini|-multimodal|[.\d])"),
    TokenizerFamily("Phi-4-mini", r"phi-4-mini"),
    TokenizerFamily("GPT-2", r"(?:^|(?<=openai-community-)|(?<=openai-))(?:distil)?gpt2(?:-(?:medium|large|xl))?$"),
    TokenizerFamily("GPT-NeoX", r"pythia-\d+(?:\.\d+)?[bm]|gpt-neox-20b|dolly-v2"),
    TokenizerFamily("gpt-oss", r"gpt-oss-(?:20|120)b"),
    TokenizerFamily("mT5", r"(?:^|(?<=google-))mt5-(?:small|base|large|xl|xxl)$"),
    TokenizerFamily(
        "T5", r"(?:^|(?<=google-)|(?<=google-t5-))(?:flan-)?t5-(?:v1\.1-)?(?:small|base|large|xl|xxl|3b|11b)$"
    ),
    TokenizerFamily("BERT uncased", r"(?:distil)?bert-(?:base|large)-uncased$"),
    TokenizerFamily("BERT cased", r"(?:distil)?bert-(?:base|large)-cased$"),
    TokenizerFamily("BERT multilingual cased", r"(?:distil)?bert-base-multilingual-cased$"),
    TokenizerFamily("Falcon", r"falcon-(?:7|40|180)b"),
    TokenizerFamily("BLOOM", r"bloomz?(?:-\d+(?:\.\d+)?[bm]|-\db\d)"),
    TokenizerFamily("SmolLM2", r"smollm2"),
    TokenizerFamily("DeepSeek V3", r"deepseek-(?:v3|r1(?!-distill))(?![\d])"),
)
"""By the makers' model cards and tokenizer files. ``Llama-3-8B`` and ``Llama-3-70B`` are one family, ``Llama-2-7B``
and ``Llama-3-8B`` are two."""

_COMPILED = tuple((family, re.compile(rf"(?<![a-z0-9])(?:{family.pattern})")) for family in TOKENIZER_FAMILIES)


_REWORKED = re.compile(
    r"chinese|japanese|korean|vietnamese|thai|turkish|arabic|hebrew|hindi|indic|german|french|spanish|portuguese"
    r"|italian|polish|russian|ukrainian|extend|expand|vocab|tokeni[sz]er"
)
"""Models for one more language often have more pieces than the model they were made of."""


def tokenizer_family(model: str | None) -> TokenizerFamily | None:
    """The family whose tokenizer a model has; ``None`` where its name does not say.

    Args:
        model: A hub id, a path or a plain name.

    Example:
        >>> tokenizer_family("unsloth/Meta-Llama-3.1-8B-bnb-4bit").name, tokenizer_family("our-model-v7")
        ('Llama 3', None)
    """
    name = re.sub(r"[\s_/\\-]+", "-", (model or "").casefold())
    if _REWORKED.search(name):
        return None
    found = [family for family, pattern in _COMPILED if pattern.search(name)]
    return found[0] if len(found) == 1 else None


_NO_DROPOUT = re.compile(r"(?<!t5)(?:llama|mistral|mixtral|qwen|gemma|olmo|smollm|deepseek|gpt-oss|gpt-neox|pythia)")
"""Architectures that have no dropout, or whose published configurations set it to 0."""


def has_no_dropout(model: str | None) -> bool:
    """True where a model's name says that its architecture trains without dropout of its own."""
    return _NO_DROPOUT.search((model or "").casefold()) is not None
