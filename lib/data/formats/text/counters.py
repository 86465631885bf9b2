"""What one line of a log counts, and the metrics that it states."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lib.data.formats.text.values import Named, numbers_of

MAX_STEP = 2**53
BRACKET = "["
"""The head of a line whose count has no name, but stands in brackets before all."""
_COUNTERS = frozenset({"step", "steps", "iter", "iters", "iteration", "it", "update", "updates", "batch", "s"})
_EPOCHS = frozenset({"epoch", "ep"})
_BEFORE_COUNTER = frozenset({"global", "current", "train", "training", "trainer", "optimizer", "optim", "opt", "eval"})
_BEFORE_COUNTER |= {"evaluation", "val", "valid", "validation", "test", "dev", "at", "loss", "the", "num", "update"}
_BEFORE_COUNTER |= {"after", "on", "of", "end", "results", "result", "metrics", "completed", "finished"}
_BEFORE_COUNTER |= {"validate", "validating", "evaluate", "evaluating", "am", "pm"}
_PHASE_NAME = re.compile(r"(?:train|test)(?:ing)?|val(?:id(?:at(?:ion|e|ing))?)?|eval(?:uat(?:ion|e|ing))?", re.I)
OWN_PHASE = re.compile(
    r"(?<![a-z])(?:train(?:ing)?|val(?:id(?:at(?:ion|e|ing))?)?|eval(?:uat(?:ion|e|ing))?|test|dev)(?![a-z])", re.I
)
"""What a name has in it that says on what it was measured."""
_SHORT = re.compile(r"[\w/@-]{1,40}(?: [\w/@-]{1,40})?")
_LOGGER = re.compile(r"\b(?:INFO|root|__main__)\b")
"""What loggers put before a message."""
_ONLY_SIGNS = re.compile(r"[\s,;|:=()\[\]%*+-]{0,40}")
_BETWEEN = re.compile(r"[\s\[\](:,|-]{1,20}")
_OPEN = re.compile(r"\s?\{['\"]")
_CLOCKS = frozenset({"train time", "elapsed", "elapsed time", "total time", "wall", "time elapsed", "runtime"})
METRIC_WORD = re.compile(
    r"loss|acc|lr|learning.?rate|ppl|perplexity|bleu|rouge|f1|auc|mfu|norm|reward|tok|bpb|bpc|mse|mae|rmse|iou|map|"
    r"error|\berr|score|wer|cer|recall|precision|entropy|kl|(?:^|[ _])t[re]l$|psnr|fid|dice|nll|"
    r"(?:train(?:ing)?|valid(?:_\d)?) l[12]$",
    re.I,
)
"""What the name of at least one metric of a log has in it."""


@dataclass(slots=True)
class Found:
    """What one line counts and states, and which number of the line says each."""

    head: str = ""
    step: int = -1
    total: int = 0
    epoch: float = math.nan
    epochs: float = math.nan
    part: int = -1
    parts: int = 0
    clock: float = math.nan
    values: list[tuple[str, float]] = field(default_factory=list)
    said: dict[str, Named] = field(default_factory=dict)
    metrics: list[Named] = field(default_factory=list)


def found_in(text: str) -> Found | None:
    """What a line counts and states, or ``None`` where it is none of a log."""
    if not any(character in text for character in "0123456789") and "nan" not in text.lower():
        return None
    numbers = numbers_of(text)
    found = Found()
    rest: list[Named] = []
    rank = 0
    for position, each in enumerate(numbers):
        if each.is_clock:
            if _plain(each.name) in _CLOCKS and math.isnan(found.clock):
                found.clock, found.said["clock"] = each.value, each
            continue
        kind = _counter(each)
        if kind == "epoch" and math.isnan(found.epoch) and each.value >= 0:
            found.epoch, found.epochs = each.value, float(each.total) if each.total else math.nan
            found.head = found.head or _head(each)
            found.said["epoch"] = each
        elif kind == "step" and (step := _step(each)) >= 0 and _weight(each) > rank:
            rank = _weight(each)
            found.step, found.total, found.head = step, each.total or 0, _head(each)
            found.said["step"] = each
        elif kind:
            continue
        elif (
            each.total
            and (not each.name or _PHASE_NAME.fullmatch(each.name))
            and found.part < 0
            and 0 <= (part := _step(each)) <= each.total
        ):
            if math.isnan(found.epoch) and position and _PHASE_NAME.fullmatch(numbers[position - 1].name):
                # timm: "Train: 0 [  50/1251 (  4%)]".
                found.epoch, found.head = numbers[position - 1].value, numbers[position - 1].name.lower()
                found.said["epoch"] = numbers[position - 1]
                rest = [other for other in rest if other is not numbers[position - 1]]
            found.head = found.head or each.name.lower()
            if _BETWEEN.fullmatch(each.gap) or not position:
                found.part, found.parts = part, each.total
                found.said["part"] = each
        elif _plain(each.name) in _CLOCKS and math.isnan(found.clock):
            found.clock, found.said["clock"] = each.value, each
        else:
            rest.append(each)
    found.values, found.metrics = metrics_of(rest)
    if found.values and not found.head and found.part < 0 and (first := _in_brackets(text, numbers)) is not None:
        found.step, found.head, found.said["step"] = int(first.value), BRACKET, first
    if found.step < 0 and math.isnan(found.epoch):
        if _OPEN.match(text) or (found.part >= 0 and found.values):
            return found
        if not found.values or not _is_all(text, rest):
            return None
        found.head = "="
    return found


def _in_brackets(text: str, numbers: Sequence[Named]) -> Named | None:
    """The number that a line begins with, in brackets before names with signs: "[100] loss=2.3, accuracy=0.5"."""
    first, *others = (each for each in numbers if not each.is_clock)
    before = _ONLY_SIGNS.fullmatch(first.gap) and first.gap.endswith("[")
    is_alone = not first.name and before and text[first.end : first.end + 1] == "]"
    if not is_alone or not text[first.at : first.end].isdecimal() or not others:
        return None
    if not all(each.name and each.is_sure for each in others):
        return None
    return first if any(METRIC_WORD.search(each.name) for each in others) else None


def is_by_value(text: str) -> bool:
    """Whether a line of the same shape may count something else: "step 1.5" counts nothing, "step 2.0" does."""
    return any(
        not math.isfinite(each.value) or each.value % 1 or "." in text[each.at : each.end] or each.value >= MAX_STEP
        if _counter(each) == "step"
        else each.total is not None and each.value > each.total
        for each in numbers_of(text)
        if not each.is_clock
    )


def metrics_of(numbers: Iterable[Named]) -> tuple[list[tuple[str, float]], list[Named]]:
    """The numbers that have a name, with the phase in it where a line has several; and what they were made of."""
    values, used = [], []
    for each in numbers:
        if each.name and (each.is_sure or each.is_closed or _is_pair(each)) and not each.is_clock:
            own = each.name
            if each.phase and not OWN_PHASE.search(own):
                own = f"{each.phase.lower()}/{own}"
            values.append((own, each.value))
            used.append(each)
    return values, used


def _is_pair(each: Named) -> bool:
    """Whether a name is that of a metric though nothing parts its number from the next name: "iter 1 loss 3.2 lr 1"."""
    return bool(_SHORT.fullmatch(each.name) and METRIC_WORD.search(each.name))


def _is_all(text: str, rest: list[Named]) -> bool:
    """Whether a line that counts nothing is names and their numbers, and nothing else: "val loss 1.1, val acc 0.5"."""
    if not rest or len(text) > 400 or ".." in text or not all(each.name for each in rest):
        return False
    if not any(METRIC_WORD.search(each.name) for each in rest):
        return False
    for each in rest:
        before, name, after = each.gap.rpartition(each.name)
        if each is rest[0]:
            before = _LOGGER.sub("", before)
        if each.phase:
            before = OWN_PHASE.sub("", before)
        is_ended = each.is_closed or each.is_sure
        if not name or not is_ended or not _ONLY_SIGNS.fullmatch(before) or not _ONLY_SIGNS.fullmatch(after):
            return False
    return bool(_ONLY_SIGNS.fullmatch(text[rest[-1].end :].lstrip("%abcdefghijklmnopqrstuvwxyz")))


def _counter(each: Named) -> str:
    """Whether a number is a step or an epoch by its name."""
    words = _plain(each.name).split()
    if not words or words[-1] not in _COUNTERS | _EPOCHS:
        return ""
    if any(word not in _BEFORE_COUNTER for word in words[:-1]):
        return ""
    if words[-1] == "s" and not (len(words) == 1 and each.is_sure):
        return ""
    return "epoch" if words[-1] in _EPOCHS else "step"


def _weight(each: Named) -> int:
    """How surely a counter is that of the whole training."""
    words = _plain(each.name).split()
    return 3 if "global" in words or "updates" in words else 1 if words[-1] == "batch" else 2


def _head(each: Named) -> str:
    """How a counter is written, with its sign: a program writes all of its lines alike, and unlike others."""
    written = each.gap[each.gap.rfind(each.name) :] if each.name in each.gap else each.name
    return " ".join((*([each.phase.lower()] if each.phase else []), *_plain(written).split()))


def _plain(name: str) -> str:
    return name.lower().replace("_", " ")


def _step(each: Named) -> int:
    """The step that a number is, -1 for none; "1.1k" is 1,100, which its product of floats is not."""
    value = each.value if each.scale in (1.0, -1.0) else round(each.value, 6)
    return int(value) if _is_step(value) else -1


def _is_step(value: float) -> bool:
    return 0 <= value < MAX_STEP and value == int(value)
