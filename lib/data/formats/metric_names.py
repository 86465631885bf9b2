"""Which of a program's metrics are ours: losses, learning rate, gradient norm, speed, memory and perplexity.

What a name may mean is told by its words (``lib.data.formats.metric_words``). Of several series that may be one metric
the better one is it; the others keep their names, as does everything that is none of ours.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lib.core.facts.foreign import isolated
from lib.core.facts.metrics import METRICS, is_of_evaluations, metric_of
from lib.core.facts.scores import has_score
from lib.core.facts.sizes import LONGEST_METRIC, MOST_METRICS, cut_text
from lib.data.formats.metric_words import (
    BARE_PERPLEXITY,
    GATHERED,
    GUESSED,
    REWARDS,
    TRAIN_WORDS,
    group_of,
    meanings,
    spelled,
    words_of,
)

_ENOUGH = 0.1
"""A series with fewer than this share of the points of the fullest candidate is its summary, not the metric."""
_MOSTLY = 0.9
"""A series with this share of its steps among those of the evaluations is one that was measured with them."""
AS_LOGGED = " (as logged)"
"""What stands behind the name of a metric that has the name of one of ours and is another one."""
_AS_LOGGED = re.compile(r" \(as logged(?: \d{1,9})?\)$")


_NAMED = 5
"""So many of the metrics that are left out are named."""


def most_telling(counts: Mapping[str, int], metrics: Mapping[str, str]) -> list[str]:
    """As many names of series as a run has metrics at most: ours first, then those of evaluations, then the longest.

    Args:
        counts: How many points each has.
        metrics: Under which name each is kept.
    """
    if len(counts) <= MOST_METRICS:
        return list(counts)

    def telling(name: str) -> tuple[bool, bool, int, str]:
        metric = metrics[name]
        return metric not in METRICS, not metric_of(metric).evaluated, -counts[name], name

    return sorted(counts, key=telling)[:MOST_METRICS]


def left_out_note(count: int, left_out: Sequence[str]) -> str:
    """A sentence on those of so many metrics that are not read."""
    told = ", ".join(isolated(cut_text(name, LONGEST_METRIC)) for name in left_out[:_NAMED])
    more = f" and {len(left_out) - _NAMED:,} more" if len(left_out) > _NAMED else ""
    return f"Of {count:,} metrics {count - len(left_out):,} are read; left out are {told}{more}."


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a series is taken for.

    Attributes:
        metric: A key of ``METRICS``, or the series' own name.
        guessed: By a name that is only like those known, or one of several that would do.
    """

    metric: str
    guessed: bool = False


def read_names(series: Mapping[str, np.ndarray], *, of_evaluation: bool = False) -> dict[str, Chosen]:
    """Say what each series of a run is.

    Args:
        series: The steps of each, by the name that the program gave it; shape (n,), int64.
        of_evaluation: The log itself says that it is of evaluations ("validation/log.csv"): a name that does not say on
            what it was measured is of these.

    Returns:
        For each name, in the order of ``series``. No two have the same metric. What is none of ours keeps its name;
        where a metric of ours has that name, it is told apart by "(as logged)".
    """
    plain = _plain_names(series)
    if of_evaluation:
        plain |= {name: f"eval_{name}" for name in series if _is_bare_score(name)}
    candidates: dict[str, list[_Candidate]] = {}
    for name, steps in series.items():
        for metric, rank in meanings(words_of(name), name, of_evaluation=of_evaluation):
            candidates.setdefault(metric, []).append(_Candidate(name, rank, steps))
    taken: dict[str, Chosen] = {}
    evaluated = _best(candidates.pop("eval_loss", ()), None)
    order = sorted(candidates, key=lambda metric: (metric == BARE_PERPLEXITY, metric))
    found = {"eval_loss": evaluated, **{metric: _best(candidates[metric], evaluated) for metric in order}}
    for metric, chosen in found.items():
        if chosen is None:
            continue
        key = metric
        if metric == BARE_PERPLEXITY:
            key = _perplexity(chosen, found.get("train_loss"), evaluated)
        if chosen.name not in taken and key not in {each.metric for each in taken.values()}:
            taken[chosen.name] = Chosen(key, chosen.rank >= GUESSED)
    used = {each.metric for each in taken.values()}
    result = {}
    for name in series:
        if name in taken:
            result[name] = taken[name]
            continue
        own = own_name(plain[name] if plain[name] not in used else name, used)
        used.add(own)
        result[name] = Chosen(own)
    return result


def own_name(name: str, taken: Container[str]) -> str:
    """The name of a metric that is none of ours, where ours and those that are taken have others.

    Example:
        >>> own_name("lr", ["lr"]), own_name("loss (as logged)", ["loss (as logged)"]), own_name("train_loss", [])
        ('lr (as logged)', 'loss (as logged 2)', 'train_loss (as logged)')
    """
    own, number = name, 1
    while own in METRICS or own in taken:
        own = without_mark(name) + (AS_LOGGED if number == 1 else f" (as logged {number})")
        number += 1
    return own


def without_mark(name: str) -> str:
    """A name without the words that ``own_name`` puts behind it."""
    return _AS_LOGGED.sub("", name)


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    name: str
    rank: int
    steps: np.ndarray

    @property
    def kernel(self) -> frozenset[str]:
        """The words that tell it from series that show the same in other steps."""
        return frozenset(word for word in words_of(self.name) if word not in GATHERED and group_of(word) is None)


def _best(candidates: Sequence[_Candidate], evaluated: _Candidate | None) -> _Candidate | None:
    """The candidate that is the metric; ``None`` where several are only like it, or there is none."""
    fullest = max((len(each.steps) for each in candidates), default=0)
    fitting = [each for each in candidates if len(each.steps) >= _ENOUGH * fullest and len(each.steps)]
    if evaluated is not None:
        # What was measured at the evaluations alone says less of training than a denser series does.
        dense = [each for each in fitting if 2 * len(each.steps) > fullest or not _is_beside(each, evaluated)]
        fitting = dense or fitting
    if not fitting:
        return None
    first = min(fitting, key=lambda each: (each.rank, -len(each.steps), each.name))
    rivals = [
        each for each in fitting if each.kernel != first.kernel and (each.rank == first.rank or first.rank >= GUESSED)
    ]
    if not rivals:
        return first
    return None if first.rank >= GUESSED else _Candidate(first.name, first.rank + GUESSED, first.steps)


def _is_beside(one: _Candidate, evaluated: _Candidate) -> bool:
    return len(one.steps) > 1 and float(np.isin(one.steps, evaluated.steps).mean()) > _MOSTLY


def _perplexity(bare: _Candidate, train: _Candidate | None, evaluated: _Candidate | None) -> str:
    """Whose a perplexity is that does not say so: that of the loss that was logged at the same steps."""
    if train is None or evaluated is None:
        return "train_perplexity" if train is not None else "perplexity"
    of_train, of_eval = (float(np.isin(bare.steps, each.steps).mean()) for each in (train, evaluated))
    return "train_perplexity" if of_train > of_eval or len(bare.steps) > 2 * len(evaluated.steps) else "perplexity"


def _is_bare_score(name: str) -> bool:
    """Whether a name says what was measured by its score, and not on which data."""
    return has_score(words_of(name)) and not is_of_evaluations(name) and not TRAIN_WORDS & set(words_of(name))


def _plain_names(names: Iterable[str]) -> dict[str, str]:
    """By name, what the Hugging Face Trainer had called it before it wrote it for a page of charts.

    It makes "eval/f1" of "eval_f1" and "train/rewards/chosen" of "rewards/chosen", and always logs the epoch.
    """
    names = list(names)
    known = set(names)
    if not known & {"train/global_step", "train/epoch"}:
        said = {name: spelled(name) for name in names}
        return {name: plain if plain not in known else name for name, plain in said.items()}
    found = {}
    for name in names:
        plain = name
        if name.startswith("eval/"):
            plain = f"eval_{name.removeprefix('eval/')}"
        elif name.startswith("train/"):
            plain = name.removeprefix("train/")
            plain = REWARDS.get(plain, plain)
        found[name] = plain if plain == name or plain not in known else name
    return found
