"""What a run says about its evaluations, by its configuration and by its log, and how two such statements compare."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from lib.core.config.effective import effective
from lib.core.config.setting import Setting
from lib.core.config.training_method import NOTHING, Logged, Method, logged_methods, methods_run, stated_methods
from lib.core.config.values import MISSING, comparable, show
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import RunSummary
from lib.core.facts.values import finite

EVAL_DATASETS = (
    "eval_dataset", "eval_dataset_name", "eval_dataset_path", "eval_file", "eval_path", "eval_data", "eval_data_path",
    "validation_dataset", "validation_file", "validation_path", "val_dataset", "val_file", "val_path", "val_data",
)  # fmt: skip
"""Names under which tools state a dataset that is only evaluated on."""

SEEDS = ("data_seed", "split_seed", "seed")
"""What a share of the data is drawn by, the first that is stated."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A run, its effective settings by canonical name, and what it logged.

    Attributes:
        methods: The method that was run; several where it is one of them, none where nothing says it.
        stated: The same by the configuration alone.
        logged: The same by the names of the logged metrics alone.
    """

    run: RunSummary
    settings: Mapping[str, Setting] = field(repr=False)
    curves: RunCurves = field(repr=False)
    methods: tuple[Method, ...] = ()
    stated: tuple[Method, ...] = ()
    logged: Logged = NOTHING
    _by_name: Mapping[str, Setting] = field(init=False, repr=False)
    _containers: Mapping[str, Mapping[str, object]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Every aspect of every pair asks by name, so the sections are gone through once.
        object.__setattr__(self, "_by_name", _by_name(self.settings))
        object.__setattr__(self, "_containers", _containers(self.settings))

    def is_of(self, methods: Collection[Method]) -> bool:
        """Whether the method is known to be one of these."""
        return bool(self.methods) and set(self.methods) <= set(methods)

    def may_be_of(self, methods: Collection[Method]) -> bool:
        """Whether what is known of the method fits one of these; not where nothing is known."""
        return not set(self.methods).isdisjoint(methods)

    def first(self, *names: str) -> Setting | None:
        """The first setting of these names that has a value, at the top, or in a section of the data or loss."""
        return next((found for name in names if (found := self._by_name.get(name)) is not None), None)

    def value(self, *names: str) -> object:
        """The value of that setting; ``None`` where none is stated."""
        setting = self.first(*names)
        return None if setting is None else setting.value

    def inside(self, name: str) -> Mapping[str, object]:
        """What stands in a container of this name, by key."""
        return self._containers.get(name, {})


_SECTIONS = (
    "",
    "data.",
    "evaluation.",
    "tokenizer.",
    "model.",
    "dpo.",
    "dpo_config.",
    "orpo.",
    "kto.",
    "trl.",
    "loss.",
)


def _in_sections(settings: Mapping[str, Setting]) -> Iterator[tuple[str, Setting]]:
    """The settings by their names in each section that they stand in, section by section."""
    for section in _SECTIONS:
        for key, setting in settings.items():
            if key.startswith(section):
                yield key[len(section) :], setting


def _by_name(settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """The setting of each name that has a value: of several sections that of the first."""
    found: dict[str, Setting] = {}
    for name, setting in _in_sections(settings):
        if name not in found and _is_stated(setting):
            found[name] = setting
    return found


def _containers(settings: Mapping[str, Setting]) -> dict[str, dict[str, object]]:
    """What stands in each container, by key: of several sections that of the last."""
    found: dict[str, dict[str, object]] = {}
    for name, setting in _in_sections(settings):
        for dot in (at for at, letter in enumerate(name) if letter == "."):
            found.setdefault(name[:dot], {})[name[dot + 1 :]] = setting.value
    return found


Shown = tuple[str | None, str | None]
"""The values of two runs as text; ``None`` for what is not recorded."""


PER_EXAMPLE = frozenset((Method.CLASSIFICATION, Method.REWARD))
"""Their loss is averaged over examples: how a text is cut into tokens does not change what is counted."""


class Agreement(StrEnum):
    """Whether two runs agree in something. What is not recorded is neither the same nor different."""

    SAME = "same"
    DIFFERENT = "different"
    CANNOT_TELL = "cannot tell"


class Compared(NamedTuple):
    """What was found out about one aspect of a pair.

    Attributes:
        agreement: Of the two.
        shown: The two values.
        decides: Whether a difference makes the evaluations incomparable; else it is a caution.
    """

    agreement: Agreement
    shown: Shown
    decides: bool = True


Compare = Callable[[RunFacts, RunFacts], Compared | None]
"""Compares two runs; ``None`` where the aspect means nothing for them."""


def agreement_of(same: bool | None) -> Agreement:
    """The agreement of two things that are the same, are not, or of which it is not known."""
    if same is None:
        return Agreement.CANNOT_TELL
    return Agreement.SAME if same else Agreement.DIFFERENT


def facts_of(run: RunSummary, curves: RunCurves | None = None) -> RunFacts:
    """Gather what the aspects look at.

    Args:
        run: The run.
        curves: What it logged; ``None`` where that could not be read.
    """
    settings = effective(run)
    curves = RunCurves(run.run_id) if curves is None else curves
    stated, logged = stated_methods(settings), logged_methods(curves.curves)
    return RunFacts(run, settings, curves, methods_run(stated, logged), stated, logged)


def _is_stated(setting: Setting | None) -> bool:
    if setting is None or setting.value is None or setting.value is MISSING:
        return False
    return bool(setting.value.strip()) if isinstance(setting.value, str) else setting.value not in ((), {})


def shown_setting(setting: Setting | None) -> str | None:
    """A setting's value as text; ``None`` where it is not recorded."""
    return None if setting is None else show(setting.value, limit=80)


def compare_settings(first: Setting | None, second: Setting | None) -> Agreement:
    """Compare two settings; where a configuration contradicts itself, by all the values that it states."""
    if first is None or second is None:
        return Agreement.CANNOT_TELL
    (one, all_one), (other, all_other) = _values(first), _values(second)
    if one == other and (all_one == all_other or len(all_one) == len(all_other) == 1):
        return Agreement.SAME
    if not all_one & all_other:
        return Agreement.DIFFERENT
    return Agreement.CANNOT_TELL


def _values(setting: Setting) -> tuple[tuple[object, ...], set[tuple[object, ...]]]:
    own = comparable(share_of(setting.value), setting.comparison)
    if not setting.contradicted:
        return own, {own}
    stated = {comparable(share_of(value), setting.comparison) for _, value in setting.places if value is not None}
    return own, stated | {own}


def share_of(value: object) -> object:
    """A percentage as the share that it is."""
    if isinstance(value, str) and value.strip().endswith("%"):
        share = finite(value.strip()[:-1])
        return value if share is None else round(share / 100.0, 12)
    return value


def stated(*names: str) -> Callable[[RunFacts, RunFacts], Compared]:
    """Compares the first setting of these names that each run states."""

    def compare(first: RunFacts, second: RunFacts) -> Compared:
        one, other = first.first(*names), second.first(*names)
        return Compared(compare_settings(one, other), (shown_setting(one), shown_setting(other)))

    return compare


def option(*names: str, methods: frozenset[Method] | None = None) -> Compare:
    """An option that changes the loss where it is set; where neither run sets it, both have the default."""

    def compare(first: RunFacts, second: RunFacts) -> Compared | None:
        if methods is not None and not (first.may_be_of(methods) or second.may_be_of(methods)):
            return None
        if first.first(*names) is None and second.first(*names) is None:
            return None
        return stated(*names)(first, second)

    return compare


def gravest(found: Iterable[Compared | None]) -> Compared | None:
    """Of several parts of one aspect the one that says most: a difference, then what cannot be told."""
    known = [each for each in found if each is not None]
    return min(known, key=lambda each: _GRAVITY.index(each.agreement), default=None)


_GRAVITY = Agreement.DIFFERENT, Agreement.CANNOT_TELL, Agreement.SAME
