"""Logs that go on where another one ends: one training that was resumed, and wrote into the next file or folder.

Their names differ in a number alone, and their steps adjoin. Seeds, folds and repeats are named so too, and each of
them begins at the beginning.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import permutations
from typing import Any

import numpy as np

from lib.core.facts.foreign import isolated
from lib.data.formats.forms.form import HF_TRAINER, Form

MOST_PARTS = 40
"""More logs whose names differ in a number alone are a sweep."""
_OVERLAP = 0.25
"""So much of a part may be trained again by the next one, from the checkpoint that it was resumed from."""
_PAUSE = 2.5
"""So many logging intervals may lie between two parts: one at the end of a part is often lost."""
_NO_PART = re.compile(
    r"(?:seed|s|fold|f|cv|kfold|split|rep|repeat|trial|rank|gpu|worker|node|shard|lr|bs|wd|r|alpha|batch|epochs?|layers?"
    r"|dim|k|n|x)[-_.=]?$",
    re.IGNORECASE,
)
"""What stands before a number that tells runs, processes or settings apart."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?", re.IGNORECASE)
_NEXT = re.compile(
    r"[-_. ]*+[(\[]?(?:part|pt|resumed?|restart(?:ed)?|cont|continued|version|v)?[-_. ]*+\d*[)\]]?", re.IGNORECASE
)
"""What a name has that the first part's has not: "log.csv", "log_2.csv", "log (1).csv", "log_resumed.csv"."""
_OF_RESUMING = re.compile(r"resume|ckpt|checkpoint|path|dir|version|epochs|max_steps|total_steps", re.IGNORECASE)
"""Settings that differ between the parts of one training."""


_SEVERAL = "it goes on where that one ends, and so does another one, or others end there too"


class Continues(Enum):
    """Whether a log goes on where another ends."""

    YES = auto()
    NO = auto()
    UNSURE = auto()


@dataclass(frozen=True, slots=True)
class Chains:
    """Which logs are parts of one.

    Attributes:
        joined: Pairs of positions, of which the second goes on where the first ends.
        unsure: Pairs of which that cannot be told, with the reason as a sentence's end.
    """

    joined: tuple[tuple[int, int], ...]
    unsure: tuple[tuple[int, int, str], ...]


def chains_of(forms: Sequence[Form]) -> Chains:
    """Find logs that go on where another one ends.

    Args:
        forms: In any order; of those that log no steps, name an identity or are a Trainer's none is looked at.
    """
    joined: list[tuple[int, int]] = []
    unsure: list[tuple[int, int, str]] = []
    for members in _numbered(forms):
        found = {(one, other): _continues(forms[one], forms[other]) for one, other in permutations(members, 2)}
        sure = [pair for pair, (came, _) in found.items() if came is Continues.YES]
        before, after = Counter(one for one, _ in sure), Counter(other for _, other in sure)
        joined += [(one, other) for one, other in sure if before[one] == after[other] == 1]
        ends = {other for _, other in joined}
        unsure += [(one, other, _SEVERAL) for one, other in sure if (one, other) not in joined]
        unsure += [
            (one, other, why)
            for (one, other), (came, why) in found.items()
            if came is Continues.UNSURE and other not in ends
        ]
    return Chains(tuple(joined), tuple(unsure))


def unsure_note(name: str, why: str) -> str:
    """That a run may be a part of another, which is called ``name``."""
    return f'It may be the same training as "{isolated(name)}", resumed: {why}. They are shown as two runs.'


def _numbered(forms: Sequence[Form]) -> Iterator[list[int]]:
    """Logs of one format and of the same metrics whose names differ in numbers alone."""
    alike: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for at, form in enumerate(forms):
        if form.format == HF_TRAINER or form.identity or form.key or not form.folder or not form.curves.curves:
            continue
        for place, part in enumerate(form.folder):
            rest = (*form.folder[:place], None, *form.folder[place + 1 :])
            alike[form.format, frozenset(form.curves.curves), rest, _plain(part)].append(at)
    for members in alike.values():
        if 1 < len(members) <= MOST_PARTS:
            yield members


def _plain(part: str) -> str:
    """A name without the numbers that tell its part; those that tell seeds, processes or settings stay."""
    stem, dot, end = part.rpartition(".")
    if not dot or end.isdigit():
        stem, end = part, ""
    plain = _without_next(stem)
    told = _NUMBER.sub(lambda found: found[0] if _tells_apart(plain[: found.start()]) else "#", plain)
    return f"{told}.{end}" if end else told


def _tells_apart(before: str) -> bool:
    """Whether the word before a number says that it tells runs apart: the "s" of "logs1" is no seed."""
    found = _NO_PART.search(before)
    return found is not None and (found.start() == 0 or not before[found.start() - 1].isalnum())


def _without_next(stem: str) -> str:
    """A name without its last part where that only says that it goes on."""
    numbers = [found.span() for found in _NUMBER.finditer(stem)]
    for start in range(1, len(stem)):
        is_word = stem[start].isalpha() and stem[start - 1].isalpha()
        if is_word or not stem[start - 1].isalnum() or any(first < start < end for first, end in numbers):
            continue
        if _NEXT.fullmatch(stem, start) and not any(
            _tells_apart(stem[:first]) for first, _ in numbers if first >= start
        ):
            return stem[:start]
    return stem


def _continues(one: Form, other: Form) -> tuple[Continues, str]:
    """Whether the second log goes on where the first ends, and where that is not sure, why."""
    first, last = one.run.current_step, other.run.current_step
    if first is None or last is None or last <= first or one.run.steps_are_epochs != other.run.steps_are_epochs:
        return Continues.NO, ""
    before, after = _steps(one), _steps(other)
    if len(before) < 2 or not len(after):
        return Continues.NO, ""
    interval = float(np.median(np.diff(before)))
    again, covered = float(before[-1] - after[0]), float(before[-1] - before[0])
    if after[0] <= before[0] + interval:
        return Continues.NO, ""
    unit = "epoch" if one.run.steps_are_epochs else "step"
    if again > max(_OVERLAP * covered, interval):
        if again > (1 - _OVERLAP) * covered:
            return Continues.NO, ""
        return Continues.UNSURE, f"its log begins at {unit} {after[0]:,}, and that one goes to {before[-1]:,}"
    if -again > _PAUSE * interval:
        return Continues.UNSURE, f"its log begins at {unit} {after[0]:,}, and that one ends at {before[-1]:,}"
    if differing := _differing(one.run.config, other.run.config):
        return Continues.UNSURE, f"it goes on where that one ends, with another {isolated(differing)}"
    return Continues.YES, ""


def _steps(form: Form) -> np.ndarray:
    """The steps of the metric that was logged most often."""
    return max((curve.step for curve in form.curves.curves.values()), key=len)


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """A setting that two configurations state otherwise, and that resuming does not change; "" for none."""
    for key in (*one, *(each for each in other if each not in one)):
        if _OF_RESUMING.search(key):
            continue
        mine, theirs = one.get(key), other.get(key)
        if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            if found := _differing(mine, theirs):
                return found
        elif str(mine) != str(theirs):
            return key
    return ""
