"""What the words of a metric's name say of it.

Some say what is measured ("loss", "lr"), some on what ("train", "val"), some how it was gathered ("epoch", "avg"),
which changes little. A word that is none of these makes it another metric: "box_loss", "loss_scale" and "best_val_loss"
are not the loss. A word for a kind of loss ("mlm") leaves it a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from lib.core.facts.metrics import LOGGED, is_of_evaluations
from lib.core.facts.scores import has_score


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


TRAIN_WORDS = _set("train training trn")
EVAL_WORDS = _set("eval evaluation evaluate evaluating val valid validation validate validating dev")
_TEST_WORDS = _set("test testing tst predict pred")
"""Held back until the end: a loss on them is not the one that chooses a checkpoint."""

GATHERED = _set(
    "step epoch batch iter iteration avg mean average total combined global overall lm value at all on the per local"
    " current cur log logs metric metrics scalar scalars charts final reduced"
)
"""Words that say how or where a value was gathered."""
_SMOOTHED = _set("running smooth smoothed smth ema sum micro median")
_KINDS = _set(
    "mlm clm ce nll xent crossentropy logloss bce mse mae l1 l2 ctc sft dpo kd text token tokens seq2seq main"
    " task model contrastive triplet denoising diffusion reconstruction objective weighted unweighted raw focal huber"
    " causal language generator caption cost dataloader idx"
)
"""Words for a kind of loss, or for a part of the data."""
_OPTIMIZERS = _set(
    "adam adamw sgd adafactor lion muon lamb rmsprop adagrad nadam radam sophia shampoo ademamix optimizer optim opt"
    " scheduler schedule sched"
)
_RATE_SIDES = GATHERED | _set("params param group pg hyperparameters misc stats other perf state")
_NO_RATE = _set("scale mult multiplier factor decay warmup min max momentum")
_NORM_SIDES = GATHERED | _set("l2 2 0 optim optimizer stats model")
_CLIPPING = _set("clip clipped preclip unclipped before after pre post clipping")
_SPEED_SIDES = GATHERED - {"per"} | _set("throughput perf speed performance stats time")
_MEMORY = _set("gpu cuda memory mem gb used max peak allocated alloc device")

_PLAIN = re.compile(r"[A-Za-z0-9 _-]+")
_SPLITS = MappingProxyType({
    "val": "val", "valid": "val", "validation": "val", "eval": "eval", "evaluation": "eval", "test": "test",
    "dev": "dev",
})  # fmt: skip
REWARDS = MappingProxyType({
    "eval/mean_reward": "eval_reward", "rollout/ep_rew_mean": "reward", "objective/rlhf_reward": "reward",
})  # fmt: skip
"""What evaluations and episodes came to in Stable-Baselines3; and what PPO of TRL maximises."""
_ABBREVIATED = re.compile(r"(?<=[A-Za-z])\.(?=[\s_([]|$)")
"""The dots of "Val. Acc."; that of "val.acc" parts two words."""
_UNIT = re.compile(
    r"(?<!\s)\s*+[(\[]\s*+(?P<unit>%|percent|pct|nats?(?:\s?(?:/|per)\s?tok(?:en)?)?)\s*[)\]]|\s?%$", re.I
)
"""A unit that changes nothing of what is measured; in bits a loss is another one."""
_ASIDE = re.compile(r"[(\[]([A-Za-z]{2,10})[)\]]")
"""What stands in brackets behind a name: "Acc (val)"."""
_IN_PERCENT = re.compile(r"%|\bpercent\b", re.I)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])")
_WORD = re.compile(r"[A-Za-z]+\d*[A-Za-z]*|\d+")
_OF_CHANCES = re.compile(r"(cross entropy)|(?:(?:binary|multi) )?m?logloss")
"""One loss by several names; those with "logloss" are of programs that boost trees."""
_NUMBERED_SET = re.compile(r"valid_(\d)[ /]")
"""As LightGBM numbers the data that it evaluates on, where nobody names them."""
_OF_OPTIMIZER = re.compile(r"lr-(?P<name>\w+)(?:/pg(?P<group>\d{1,3}))?")
"""As Lightning names the rate of each optimizer and of each group of its parameters."""

GUESSED = 100
"""Ranks from here on are guesses."""
BARE_PERPLEXITY = "?perplexity"
"""A perplexity of whatever loss was logged with it."""


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, in small letters.

    Example:
        >>> words_of("train/lossStep"), words_of("lr-AdamW/pg1"), words_of("grad_2.0_norm"), words_of("loss (nats)")
        (('train', 'loss', 'step'), ('lr', 'adamw', 'pg1'), ('grad', '2', '0', 'norm'), ('loss',))
    """
    return tuple(word.casefold() for word in _WORD.findall(_CAMEL.sub(" ", _UNIT.sub(" ", name))))


def spelled(name: str) -> str:
    """The name of an evaluation metric in one spelling: "val acc" and "Accuracy (valid.) [%]" are one metric.

    Names with other marks, such as a section before a slash, and what is not of evaluations, stay.

    Example:
        >>> spelled("Val. Acc. (%)"), spelled("validation-f1"), spelled("acc_valid"), spelled("F1 [dev]")
        ('val_accuracy', 'val_f1', 'val_accuracy', 'dev_f1')
        >>> spelled("val/acc"), spelled("accuracy"), spelled("time_val"), spelled("valid_tokens")
        ('val/acc', 'accuracy', 'time_val', 'valid_tokens')
    """
    if name in REWARDS:
        return REWARDS[name]
    bare = _ABBREVIATED.sub("", _UNIT.sub("", name))
    plain = _ASIDE.sub(lambda found: f" {found[1]}" if found[1].casefold() in _SPLITS else found[0], bare).strip()
    if not _PLAIN.fullmatch(plain) or not is_of_evaluations(plain):
        return name
    first, *others = words_of(plain)
    if first not in _SPLITS and others and has_score((first, *others[:-1])):
        first, others = others[-1], [first, *others[:-1]]
    split = _SPLITS.get(first)
    if split is None or not others or (split == "eval" and plain == name and " " not in name):
        return name
    return "_".join((split, *("accuracy" if word == "acc" else word for word in others)))


def meanings(words: tuple[str, ...], name: str, *, of_evaluation: bool) -> Iterator[tuple[str, int]]:
    """What of ours a name may mean, each with a rank: the lower the surer."""
    if name in LOGGED and name not in ("perplexity", "train_loss", "eval_loss"):
        yield name, 0
        return
    split = _split_of(words, name)
    if split is None:
        return
    rest = tuple(word for word in words if word not in TRAIN_WORDS and word not in EVAL_WORDS)
    if numbered := _NUMBERED_SET.match(name):
        rest = rest[1:] if rest[:1] == (numbered[1],) else rest
    split = split or ("eval" if of_evaluation else "")
    if (rate := _OF_OPTIMIZER.fullmatch(name)) and rate["name"].casefold() not in _NO_RATE:
        yield "learning_rate", 3 + 4 * int(rate["group"] or 0)
        return
    # A share in percent is none of the amounts that ours are: "lr (%)" is how far the rate is of its peak.
    in_percent = _IN_PERCENT.search(name) is not None
    for meaning in (_memory,) if in_percent else (_loss, _perplexities, _rate, _norm, _speed, _memory):
        found = meaning(rest, split)
        if found is not None:
            yield found
            return


def _split_of(words: Sequence[str], name: str) -> str | None:
    """What it was measured on, "train" or "eval", "" where the name does not say; ``None`` for something else."""
    if _TEST_WORDS & set(words):
        return None
    on_train, on_eval = (bool(some & set(words)) for some in (TRAIN_WORDS, EVAL_WORDS))
    if on_train and on_eval:
        # "train/val_loss": a section of the page that it is shown in, and then the metric.
        first, _, inner = name.partition("/")
        return "eval" if inner and first.casefold() in TRAIN_WORDS and not TRAIN_WORDS & set(words_of(inner)) else None
    return "train" if on_train else "eval" if on_eval else ""


def _loss(words: Sequence[str], split: str) -> tuple[str, int] | None:
    if words in (("trl",), ("tel",)):
        # Of llm.c: train loss, and the loss on what it calls test and evaluates with.
        return ("train_loss" if words == ("trl",) else "eval_loss"), 0
    words = tuple(_OF_CHANCES.sub(lambda found: "crossentropy" if found[1] else "logloss", " ".join(words)).split())
    if "value" in words and not (words[-2:] == ("loss", "value") and ("lm" in words or split == "eval")):
        # Megatron prints an "lm loss value"; else "value" is the critic's of reinforcement.
        return None
    beside = [word for word in words if word not in ("loss", "losses")]
    rank = _aside(beside, GATHERED)
    if rank is None:
        return None
    if len(beside) == len(words):
        if not {"nll", "xent", "crossentropy", "ce", "cost", "logloss"} & set(words):
            return None
        rank = max(rank, GUESSED)
    if split == "eval":
        return "eval_loss", rank
    return "train_loss", rank if split or rank >= GUESSED else rank + 1


def _aside(words: Iterable[str], harmless: frozenset[str]) -> int | None:
    """How much the words beside a metric's own change; ``None`` where they make another one of it."""
    rank = 0
    for word in words:
        if word in harmless:
            rank += 2
        elif word in _SMOOTHED:
            rank += 10
        elif word in _KINDS:
            rank += GUESSED
        elif not (word == "0" and rank):
            return None
    return rank


def _perplexities(words: Sequence[str], split: str) -> tuple[str, int] | None:
    beside = [word for word in words if word not in ("perplexity", "ppl", "loss")]
    if not {"perplexity", "ppl"} & set(words) or (rank := _aside(beside, GATHERED)) is None:
        return None
    if split == "eval":
        return "perplexity", rank
    return ("train_perplexity", rank) if split else (BARE_PERPLEXITY, rank + GUESSED)


def _rate(words: Sequence[str], split: str) -> tuple[str, int] | None:
    if split == "eval":
        return None
    beside = [word for word in words if word not in ("lr", "learning", "rate", "learningrate")]
    if not ({"lr", "learningrate"} & set(words) or {"learning", "rate"} <= set(words)):
        return None
    rank = 0
    for word in beside:
        if word in _RATE_SIDES:
            rank += 1
        elif word in _OPTIMIZERS:
            rank += 2
        elif (group := group_of(word)) is not None:
            rank += 4 * (group + 1)
        else:
            return None
    return "learning_rate", min(rank, GUESSED - 1)


def group_of(word: str) -> int | None:
    """The number of a group of parameters: "pg1", "group0", "0"."""
    found = re.fullmatch(r"(?:pg|group|g)?(\d{1,3})", word)
    return int(found[1]) if found else None


def _norm(words: Sequence[str], split: str) -> tuple[str, int] | None:
    if split == "eval":
        return None
    grads = {"grad", "grads", "gradient", "gradients"} & set(words)
    is_one = {"gnorm", "gradnorm"} & set(words) or (grads and {"norm", "norms"} & set(words))
    if not is_one:
        return ("grad_norm", GUESSED) if tuple(words) == ("norm",) else None
    beside = set(words) - grads - {"gnorm", "gradnorm", "norm", "norms"}
    if beside <= _NORM_SIDES:
        return "grad_norm", len(beside)
    return ("grad_norm", GUESSED) if beside <= _NORM_SIDES | _CLIPPING else None


_COUNTED: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("tokens", "token", "tok", "toks"), "tokens_per_second")
    | dict.fromkeys(
        ("samples", "sample", "examples", "example", "sequences", "seqs", "images", "imgs"), "samples_per_second"
    )
)


def _speed(words: Sequence[str], split: str) -> tuple[str, int] | None:
    if split == "eval":
        return None
    metric = next((_COUNTED[word] for word in words if word in _COUNTED), None)
    beside = [word for word in words if word not in _COUNTED]
    if metric is None:
        return ("tokens_per_second", GUESSED) if set(words) <= _SPEED_SIDES | {"tps"} and "tps" in words else None
    if not {"s", "sec", "second"} & set(beside):
        return None
    beside = [word for word in beside if word not in ("per", "s", "sec", "second")]
    return (metric, len(beside)) if set(beside) <= _SPEED_SIDES else None


def _memory(words: Sequence[str], split: str) -> tuple[str, int] | None:
    given = set(words)
    if {"memory", "mem"} & given and "gb" in given:
        # Only where the unit is said, and is ours.
        if given <= _MEMORY:
            return "gpu_memory_allocated_gb", len(given)
        return ("gpu_memory_reserved_gb", len(given)) if given <= _MEMORY | {"reserved"} else None
    if "gpu" in given and given <= {"gpu", "utilization", "utilisation", "util", "percent"} and len(given) > 1:
        return "gpu_utilization_percent", len(given)
    return None
