"""What is said about which evaluations compare: the aspects, a pair of runs, and a class that is not ranked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from lib.core.aspects.facts import Agreement, Compared
from lib.core.facts.foreign import isolated, spelled_out
from lib.core.ranking.classes import OtherClass
from lib.core.ranking.comparability import Pair
from lib.core.ranking.comparability_aspects import Aspect
from lib.core.text.looks import apart
from lib.core.text.phrases import listed, lower_first


class AspectWords(NamedTuple):
    """An aspect for people.

    Attributes:
        title: With a capital letter.
        why: What a difference does, as the middle of a sentence.
    """

    title: str
    why: str


ASPECT_WORDS: Mapping[Aspect, AspectWords] = MappingProxyType(
    {
        Aspect.METHOD: AspectWords("Method", "each method has a loss and scores of its own"),
        Aspect.DATASET: AspectWords("Evaluation data", "an evaluation is an average over the examples it is made on"),
        Aspect.EVAL_SPLIT: AspectWords("Eval split", "an evaluation is an average over the examples it is made on"),
        Aspect.LABELS: AspectWords("Labels", "with other labels each answer is harder or easier to find"),
        Aspect.REWARD: AspectWords("Reward", "it is the sum of what several functions give, and these are others"),
        Aspect.TOKENIZER: AspectWords("Tokenizer", "a loss per token means something else where tokens are others"),
        Aspect.REFERENCE: AspectWords("Reference model", "the loss is measured against the model it started from"),
        Aspect.MASKING: AspectWords("Masking", "prompts are counted in one and not in the other"),
        Aspect.PACKING: AspectWords("Packing", "packed texts are cut, averaged and predicted in other contexts"),
        Aspect.LOSS_TYPE: AspectWords("Loss formula", "another formula, or other weights, give another number"),
        Aspect.BETA: AspectWords("Beta", "it scales the loss of preference methods"),
        Aspect.LABEL_SMOOTHING: AspectWords("Label smoothing", "it adds to the loss of every token"),
        Aspect.REDUCTION: AspectWords("Sum or mean", "a sum grows with the number of tokens"),
        Aspect.CHAT_TEMPLATE: AspectWords("Chat template", "other words stand around the turns, and are predicted too"),
        Aspect.VOCABULARY: AspectWords("Vocabulary size", "each new piece takes its share of every prediction"),
        Aspect.MAX_SEQ_LENGTH: AspectWords(
            "Sequence length", "longer texts are cut, and other tokens are counted of them"
        ),
        Aspect.QUANTIZATION: AspectWords(
            "Quantisation", "the base model is evaluated with rounded weights, and may be shipped with others"
        ),
        Aspect.EVAL_BATCH_SIZE: AspectWords(
            "Eval batch size", "tokens are averaged batch by batch, so that short texts count otherwise"
        ),
    }
)


ASPECTS_SHOWN = 3
"""Aspects that a sentence names."""


def aspect_names(aspects: Iterable[Aspect]) -> str:
    """Aspects as a list in a sentence."""
    return ", ".join(lower_first(ASPECT_WORDS[aspect].title) for aspect in aspects)


def unknown_aspects(aspects: Iterable[Aspect]) -> str:
    """That it is not recorded whether all ranked runs agree in these."""
    aspects = tuple(aspects)
    if aspects == (Aspect.DATASET,):
        return "We cannot check that these runs were evaluated on the same data."
    names = [lower_first(ASPECT_WORDS[aspect].title) for aspect in aspects]
    shown, more = names[:ASPECTS_SHOWN], len(names) - ASPECTS_SHOWN
    told = f"{', '.join(shown)} and {more} more" if more > 0 else listed(shown)
    return f"We cannot check that these runs have the same {told}."


def caution(aspect: Aspect) -> str:
    """That some ranked runs differ in an aspect which matters for some data only."""
    return f"The ranked runs differ in {aspect_names((aspect,))}: {ASPECT_WORDS[aspect].why}."


def why_not_ranked(other: OtherClass) -> str:
    """Why the runs of a class are not ranked with those that are, as the middle of a sentence."""
    if other.differing:
        return f"different {aspect_names(other.differing)}"
    return "too little is recorded to tell which of the others it can be compared with"


def pair_words(pair: Pair) -> str:
    """What is known of a pair: what decides comes first, and the values that differ are named."""
    return "; ".join(_pair_words(pair)) or "nothing differs"


def _pair_words(pair: Pair) -> Iterator[str]:
    for aspect, compared in pair.decisive.items():
        yield f"different {_with_values(aspect, compared)}"
    unknown = pair.having(Agreement.CANNOT_TELL)
    if unknown:
        yield f"not known to be the same: {aspect_names(unknown)}"
    for aspect, compared in pair.having(Agreement.DIFFERENT).items():
        if not compared.decides:
            yield f"with care, different {_with_values(aspect, compared)}"


def _with_values(aspect: Aspect, compared: Compared) -> str:
    values = [spelled_out(value) if value else "not recorded" for value in compared.shown]
    shown = " / ".join(map(isolated, apart(values, values)))
    return f"{aspect_names((aspect,))} ({shown})"
