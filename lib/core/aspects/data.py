"""What two runs were evaluated on: the data, which of them and how many, and which labels a classifier told apart."""

from __future__ import annotations

import re
from dataclasses import replace

from lib.core.aspects.facts import (
    EVAL_DATASETS,
    SEEDS,
    Agreement,
    Compared,
    RunFacts,
    agreement_of,
    compare_settings,
    gravest,
    share_of,
    shown_setting,
)
from lib.core.aspects.sizes import Size, evaluated_batch, evaluated_sizes, named_classes
from lib.core.config.datasets import same_dataset, shown_dataset
from lib.core.config.setting import Setting
from lib.core.config.training_method import Method
from lib.core.config.values import comparable
from lib.core.facts.values import finite, text, whole

CLASSIFIERS = frozenset((Method.CLASSIFICATION, Method.REWARD))
"""Methods whose models have a head with outputs that may be of any number."""

_LIST, _HELD_OUT = "datasets", "test_datasets"
_ENTRY = re.compile(rf"(?:{_LIST}|{_HELD_OUT})\[\d+\]")

ABOUT = 0.01
"""Sizes known only to within this share are taken for the same where they may be."""


def dataset(first: RunFacts, second: RunFacts) -> Compared:
    held_out = [_path(facts.first(*EVAL_DATASETS)) or _listed(facts, _HELD_OUT) for facts in (first, second)]
    if all(held_out):
        one, other = held_out
    elif any(held_out):
        # The one may have been cut out of the other's data, or not.
        return Compared(Agreement.CANNOT_TELL, (_shown_path(held_out[0]), _shown_path(held_out[1])))
    else:
        one, other = (_path(facts.first("dataset")) or _listed(facts, _LIST) for facts in (first, second))
    shown = _shown_path(one), _shown_path(other)
    same = same_dataset(one, other)
    if same and _options(first) != _options(second):
        # Another part of it, or other templates around its texts.
        same = None
    counts = [(facts.run.train_samples, facts.run.val_samples) for facts in (first, second)]
    if same is None and one is not None and other is not None and counts[0] == counts[1] and None not in counts[0]:
        # One name and twice as many examples for training and for evaluation: uploaded twice.
        same = shown[0] == shown[1] or None
    return Compared(agreement_of(same), shown)


def _listed(facts: RunFacts, name: str) -> tuple[object, ...] | None:
    """The paths in a list of datasets, as axolotl has one; ``None`` for no list."""
    place = re.compile(rf"{name}\[\d+\]\.path")
    return tuple(setting.value for key, setting in facts.settings.items() if place.fullmatch(key)) or None


def _options(facts: RunFacts) -> frozenset[str]:
    """What is stated in a list of datasets, in whatever order they stand there."""
    found: dict[str, list[str]] = {}
    for key, setting in facts.settings.items():
        if listed := _ENTRY.match(key):
            found.setdefault(listed[0], []).append(f"{key[listed.end() :]}={setting.value}")
    return frozenset("; ".join(sorted(each)) for each in found.values())


def _path(setting: Setting | None) -> object:
    """The dataset as it was stated: the effective setting holds only its name."""
    if setting is None:
        return None
    return setting.places[0][1] if setting.places else setting.value


def _shown_path(path: object) -> str | None:
    return None if path is None else shown_dataset(path) or None


def split(first: RunFacts, second: RunFacts) -> Compared | None:
    """Which part of the data was evaluated on."""
    if dataset(first, second).agreement is Agreement.DIFFERENT:
        # Parts of different data have nothing in common to compare.
        return None
    sizes = _sizes(first, second)
    if sizes is not None and sizes.agreement is Agreement.DIFFERENT:
        return sizes
    if all(facts.first(*EVAL_DATASETS) for facts in (first, second)):
        return sizes
    one, other = _settled(first.first("eval_split")), _settled(second.first("eval_split"))
    if one is None and other is None and sizes is not None:
        return sizes
    shown = shown_setting(one), shown_setting(other)
    agreement = compare_settings(one, other)
    kinds = _kind(one), _kind(other)
    if agreement is Agreement.DIFFERENT and (kinds[0] != kinds[1] or (kinds[0] != "name" and sizes is not None)):
        # A share, a count and a name may mean the same examples; and equally many were evaluated.
        agreement = Agreement.CANNOT_TELL
    if agreement is Agreement.SAME and kinds[0] != "name":
        seeds = first.first(*SEEDS), second.first(*SEEDS)
        if all(seeds) and compare_settings(*seeds) is not Agreement.SAME:
            # Which examples a share holds may depend on the seed, or not.
            texts = [f"{text} with seed {shown_setting(seed)}" for text, seed in zip(shown, seeds, strict=True)]
            return Compared(Agreement.CANNOT_TELL, (texts[0], texts[1]))
    if agreement is Agreement.SAME and sizes is not None and sizes.agreement is Agreement.CANNOT_TELL:
        return sizes
    return Compared(agreement, shown)


def _settled(setting: Setting | None) -> Setting | None:
    """A split that is stated at the top and in the section of the data: trainers read the one at the top."""
    if setting is None or ".data." in setting.source:
        return setting
    read = tuple(each for each in setting.places if ".data." not in each[0])
    if len({comparable(value, setting.comparison) for _, value in read}) > 1:
        return setting
    return replace(setting, places=read, remarks=())


def _kind(setting: Setting | None) -> str:
    number = None if setting is None else finite(share_of(setting.value))
    if number is None:
        return "name"
    return "share" if 0.0 < number < 1.0 else "count"


def _sizes(first: RunFacts, second: RunFacts) -> Compared | None:
    """The numbers of examples, by the same kind of statement; ``None`` where they have none in common."""
    measured = _measured(first, second)
    if measured is not None and measured.agreement is not Agreement.CANNOT_TELL:
        return measured
    counts = _counted(first), _counted(second)
    if None in counts:
        return measured
    shown = f"{counts[0]} eval examples", f"{counts[1]} eval examples"
    same = counts[0] == counts[1]
    return Compared(
        agreement_of(same or (None if measured is None and _is_rest(counts, first, second) else False)), shown
    )


def _counted(facts: RunFacts) -> int | None:
    stated = whole(facts.value("eval_samples", "num_eval_samples", "eval_num_samples", "num_eval_examples"))
    return facts.run.val_samples if stated is None else stated


def _measured(first: RunFacts, second: RunFacts) -> Compared | None:
    """By the times and rates of the evaluations, set by set."""
    if not _counts_examples(first, second):
        return None
    sizes = evaluated_sizes(first.curves), evaluated_sizes(second.curves)
    found: list[Compared] = []
    for name in sorted(sizes[0].keys() & sizes[1].keys()):
        one, other = sizes[0][name], sizes[1][name]
        of_set = f" of {name}" if name else ""
        shown = f"{one.text} eval examples{of_set}", f"{other.text} eval examples{of_set}"
        found.append(Compared(agreement_of(_same_size(one, other, first, second)), shown))
    return gravest(found)


def _counts_examples(first: RunFacts, second: RunFacts) -> bool:
    """False where what one run evaluates as an example may be several texts packed into one, or a piece of one."""
    packed = [facts.value("eval_packing", "eval_sample_packing", "packing") for facts in (first, second)]
    is_cut = any(facts.is_of((Method.PRETRAINING,)) for facts in (first, second))
    return True not in packed and not is_cut


def _same_size(one: Size, other: Size, first: RunFacts, second: RunFacts) -> bool | None:
    if one.low <= other.high and other.low <= one.high:
        width = max(one.high, other.high) - min(one.low, other.low)
        return True if width <= ABOUT * min(one.low, other.low) else None
    counts = (one.low, other.low)
    return None if one.low == one.high and other.low == other.high and _is_rest(counts, first, second) else False


def _is_rest(counts: tuple[int | None, int | None], first: RunFacts, second: RunFacts) -> bool:
    """Whether two numbers differ by what is dropped, or repeated, so that all batches are full."""
    low, high = sorted(count or 0 for count in counts)
    together = [_evaluated_at_once(facts) for facts in (first, second)]
    return any(full > high - low and (low % full == 0 or high % full == 0) for full in together if full > 1)


def _evaluated_at_once(facts: RunFacts) -> int:
    measured = evaluated_batch(facts.curves)
    if measured is not None:
        return measured
    return (whole(facts.value("eval_batch_size", "batch_size")) or 1) * (whole(facts.value("num_gpus")) or 1)


def labels(first: RunFacts, second: RunFacts) -> Compared | None:
    """Which classes, and how many: a mean over others, or a number instead of a class, is another score."""
    if any(facts.methods and not facts.may_be_of(CLASSIFIERS) for facts in (first, second)):
        return None
    return gravest((_outputs(first, second), _problem(first, second), _classes(first, second)))


def _outputs(first: RunFacts, second: RunFacts) -> Compared | None:
    one, other = _label_count(first), _label_count(second)
    if one is None and other is None:
        return None
    shown = tuple(None if count is None else _labels_text(count) for count in (one, other))
    return Compared(agreement_of(None if one is None or other is None else one == other), (shown[0], shown[1]))


def _labels_text(count: int) -> str:
    return "1 output (a number)" if count == 1 else f"{count} labels"


def _label_count(facts: RunFacts) -> int | None:
    stated = whole(facts.value("num_labels", "num_classes", "n_classes", "number_of_labels"))
    if stated is not None:
        return stated
    for name in ("id2label", "label2id"):
        if inside := facts.inside(name):
            return len(inside)
    listed = facts.value("label_names", "class_names", "label_list", "classes", "labels")
    return len(listed) if isinstance(listed, tuple) and listed else None


def _problem(first: RunFacts, second: RunFacts) -> Compared | None:
    """One of several classes, several at once, or a number."""
    shown = text(first.value("problem_type")), text(second.value("problem_type"))
    if None in shown:
        return None
    return Compared(agreement_of(shown[0] == shown[1]), shown)


def _classes(first: RunFacts, second: RunFacts) -> Compared | None:
    """By the scores that were logged class by class."""
    one, other = named_classes(first.curves.curves), named_classes(second.curves.curves)
    if not one or not other:
        return None
    # A class that was never met or never predicted may have no score.
    same = True if one == other else None if one < other or other < one else False
    texts = [f"{', '.join(sorted(each - others)[:5])} and others" for each, others in ((one, other), (other, one))]
    if same is not False:
        texts = [f"{len(each)} classes" for each in (one, other)]
    return Compared(agreement_of(same), (texts[0], texts[1]))
