"""Which settings the difference between ranked runs can be credited with, by values and noise of the verdict."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lib.core.answers.compared import NO_CONFIGURATION, NOT_RECORDED
from lib.core.config.diff import DiffRow, class_of
from lib.core.config.setting import FOLDER
from lib.core.config.values import MISSING
from lib.core.credit.design import (
    Factor,
    Proposal,
    Unrecorded,
    credited,
    direct_pairs,
    entangled,
    factors_of,
    proposal,
    weights,
)
from lib.core.ranking.decision import Decision
from lib.core.ranking.repeats import SEED_KEYS

MOST_EFFECTS = 3
"""Of more pairs of runs, only those with the best of them are told."""

_MEASURED = frozenset(("max_learning_rate", "min_learning_rate"))
_DERIVED = "derived"

_NO_TRAINING = re.compile(
    r"(?:^|\.)(?:log(?:ging)?_\w+|logging|save_\w+|saves?|report_to|push_to_\w+|hub_\w+|load_best_model_at_end"
    r"|metric_for_best_model|greater_is_better|overwrite_\w+|disable_tqdm|do_(?:train|eval|predict)|skip_memory_metrics"
    r"|eval(?:uation)?_(?:steps|strategy|on_start|delay|batch_size|accumulation_steps|do_concat_batches|interval|every\w*)"
    r"|prediction_loss_only|include_\w+|dataloader_(?:num_workers|pin_memory|persistent_workers|prefetch_factor)"
    r"|(?:preprocessing_|dataset_)?num_(?:workers|proc)|checkpoint_(?:steps|interval)|plot_loss|wandb\w*|use_wandb)$"
)
"""What says how a training is watched and kept, and changes nothing in it; the last part of a key."""


class Standing(StrEnum):
    """Whether the part of a factor can be told."""

    DIRECT = "two runs differ in nothing else"
    ADDED = "it follows from several runs, if effects add up"
    TOGETHER = "several settings change together"
    ENTANGLED = "it depends on other settings that differ"
    UNRECORDED = "a run does not state it, or another that may differ too"


@dataclass(frozen=True, slots=True)
class Effect:
    """What the deciding metric did where one setting changed.

    Attributes:
        one, other: Ids of the runs between which it changed.
        value: The metric of ``other`` less that of ``one``, or the part of it that is this setting's, in its unit.
        error: Its standard error; ``None`` where the noise is not known.
        within: How much may be noise; ``None`` likewise.
    """

    one: str
    other: str
    value: float
    error: float | None
    within: float | None

    @property
    def is_beyond(self) -> bool | None:
        """Whether it is beyond the noise; ``None`` where that cannot be told."""
        return None if self.within is None else abs(self.value) > self.within


@dataclass(frozen=True, slots=True)
class Credit:
    """What can be said of settings that change together, of one mostly.

    Attributes:
        rows: The settings.
        standing: Whether their part can be told.
        effects: Their part, where it can.
        others: The settings that they cannot be told apart from, or of which it is not known whether they differ.
        unstated: Ids of the runs that do not state these settings.
    """

    rows: tuple[DiffRow, ...]
    standing: Standing
    effects: tuple[Effect, ...] = ()
    others: tuple[DiffRow, ...] = ()
    unstated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Further:
    """A further run that would separate them.

    Attributes:
        run_id: The run to train again.
        row: The setting to change in it.
        like: The id of a run that has the value to give it.
        rows: The settings whose part could be told then.
    """

    run_id: str
    row: DiffRow
    like: str
    rows: tuple[DiffRow, ...]


@dataclass(frozen=True, slots=True)
class Credits:
    """What the difference between runs can be credited with.

    Attributes:
        run_ids: The runs whose values compare, best first. Nothing is said of fewer than two.
        credits: Of each factor in which they differ, in the order of the settings.
        further: The run that would tell more; ``None`` where none would.
        aside: Settings that differ and do not train: logging, saving, when to evaluate.
        seeds: The seeds of the runs differ.
        is_seed_noise_known: Runs that differ in the seed alone say what a seed changes, and the noise is that of seeds.
    """

    run_ids: tuple[str, ...]
    credits: tuple[Credit, ...]
    further: Further | None
    aside: tuple[DiffRow, ...]
    seeds: bool
    is_seed_noise_known: bool


def credits_of(rows: Sequence[DiffRow], run_ids: Sequence[str], decision: Decision) -> Credits:
    """Say which settings the difference in the deciding metric can be credited with.

    Args:
        rows: The comparison of the runs' settings (``lib.core.answers.compared.compared``).
        run_ids: The runs, in the order of its values.
        decision: About these runs: only those that it ranks are looked at.
    """
    ranked = decision.ranked if decision.has_main_class else ()
    places = [run_ids.index(each) for each in ranked]
    by_key = {row.key: row for row in rows if not row.is_identity}
    differing = {key: own for key, row in by_key.items() if len(set(own := _levels(row, places))) > 1}
    aside = tuple(by_key[key] for key in differing if _NO_TRAINING.search(key))
    values = {key: own for key, own in differing.items() if _may_cause(key) and by_key[key] not in aside}
    for key in [key for key in values if _only_follows(by_key[key], places) and len(values) > 1]:
        # What follows from other settings is no change of its own, where these are among them.
        if any(other != key and not _only_follows(by_key[other], places) for other in values):
            del values[key]
    values = _once(values, by_key)
    factors = factors_of(values)
    count = len(ranked)
    told = credited(factors, count)
    tied = entangled(factors, count)
    found = tuple(
        _credit(at, factors, is_told=told[at], tied=tied[at], by_key=by_key, ranked=ranked, decision=decision)
        for at in range(len(factors))
    )
    return Credits(
        run_ids=ranked,
        credits=found,
        further=_further(proposal(values, range(count)), ranked, by_key),
        aside=aside,
        seeds=bool(SEED_KEYS & differing.keys()),
        is_seed_noise_known=decision.contest.best.seed_freedom > 0,
    )


def _once(values: dict[str, tuple[Hashable, ...]], by_key: Mapping[str, DiffRow]) -> dict[str, tuple[Hashable, ...]]:
    """Settings without those that another section states once more: by the same last name, with the same values."""
    found: dict[tuple[str, tuple[str, ...]], str] = {}
    for key in values:
        found.setdefault((key.rpartition(".")[2].casefold(), by_key[key].shown), key)
    kept = set(found.values())
    return {key: own for key, own in values.items() if key in kept}


def _may_cause(key: str) -> bool:
    """Whether a setting may be why results differ: no seed, nothing that was measured, no second name of another."""
    return not (key in SEED_KEYS or key in _MEASURED or key.startswith("metadata.") or key.endswith(FOLDER))


def _only_follows(row: DiffRow, places: Sequence[int]) -> bool:
    return {row.sources[at].startswith(_DERIVED) for at in places if row.sources[at]} == {True}


def _levels(row: DiffRow, places: Sequence[int]) -> tuple[Hashable, ...]:
    """One value for each run, of those that differ. Where a run does not use what it belongs to it is as in another."""
    unused = row.unused or ("",) * len(row.values)
    is_method = row.key.startswith("uses ")
    # What a run does not state because it states nothing may be why it came out otherwise.
    if not row.differs and (NOT_RECORDED if is_method else NO_CONFIGURATION) not in unused:
        return ()
    if is_method:
        return tuple(
            Unrecorded(at) if row.values[place] == NOT_RECORDED else not row.sources[place]
            for at, place in enumerate(places)
        )
    levels: list[Hashable] = []
    for at, place in enumerate(places):
        value, why = row.values[place], unused[place]
        if why and why not in (NOT_RECORDED, NO_CONFIGURATION):
            levels.append(None)
        elif why or value is MISSING:
            levels.append(Unrecorded(at))
        else:
            levels.append(class_of(row.key, value, row.comparison))
    used = next((each for each in levels if each is not None and not isinstance(each, Unrecorded)), None)
    return tuple(used if each is None else each for each in levels)


def _credit(
    at: int,
    factors: Sequence[Factor],
    *,
    is_told: bool,
    tied: Sequence[int],
    by_key: dict[str, DiffRow],
    ranked: Sequence[str],
    decision: Decision,
) -> Credit:
    factor = factors[at]
    rows = tuple(by_key[key] for key in factor.keys)
    unstated = tuple(run for run, known in zip(ranked, factor.recorded, strict=True) if not known)
    others = tuple(by_key[key] for other in tied for key in factors[other].keys)
    if len(factor.keys) > 1:
        kind = Standing.UNRECORDED if unstated and len(set(factor.levels)) - len(unstated) < 2 else Standing.TOGETHER
        return Credit(rows, kind, (), others, unstated)
    pairs = direct_pairs(factors, at, len(ranked))
    if pairs:
        return Credit(rows, Standing.DIRECT, _direct(pairs, factors, ranked, decision), (), unstated)
    known = [run for run, recorded in enumerate(factor.recorded) if recorded]
    steps = [run for run in known if factor.levels.index(factor.levels[run]) == run][1:]
    if is_told and steps:
        effects = tuple(_added(factors, at, known[0], run, ranked, decision) for run in steps)
        return Credit(rows, Standing.ADDED, effects, (), unstated)
    hidden = unstated or any(not all(factors[other].recorded) for other in tied)
    return Credit(rows, Standing.UNRECORDED if hidden else Standing.ENTANGLED, (), others, unstated)


def _direct(
    pairs: Sequence[tuple[int, int]], factors: Sequence[Factor], ranked: Sequence[str], decision: Decision
) -> tuple[Effect, ...]:
    """One effect for each two configurations: of their repeats, the first of each."""
    found: dict[tuple[tuple[int, ...], ...], Effect] = {}
    for one, other in pairs:
        configurations = tuple(tuple(factor.levels[run] for factor in factors) for run in (one, other))
        # The step towards the better run: it is first in the order of the ranking.
        found.setdefault(configurations, _between(ranked[other], ranked[one], decision))
    effects = tuple(found.values())
    best = min((effect.other for effect in effects), key=ranked.index)
    return effects if len(effects) <= MOST_EFFECTS else tuple(each for each in effects if each.other == best)


def _between(one: str, other: str, decision: Decision) -> Effect:
    contest = decision.contest
    compared = contest.compared(other, one)
    if compared is None:
        return Effect(one, other, decision.values[other].value - decision.values[one].value, None, None)
    return Effect(one, other, contest.sign * compared.difference.value, compared.difference.error, compared.within)


def _added(
    factors: Sequence[Factor], at: int, one: int, other: int, ranked: Sequence[str], decision: Decision
) -> Effect:
    """The part of a factor as a sum of the runs' values; its noise as that of independent estimates."""
    counts = weights(factors, at, one, other, len(ranked))
    estimates = [decision.contest.estimate(run) for run in ranked]
    known = [each for each in estimates if each is not None]
    if len(known) < len(ranked):
        value = float(counts @ [decision.values[run].value for run in ranked])
        return Effect(ranked[one], ranked[other], value, None, None)
    value = float(counts @ [decision.contest.value_of(each) for each in known])
    error = math.sqrt(sum((count * each.error) ** 2 for count, each in zip(counts, known, strict=True)))
    quantiles = [each.quantile for each in decision.contest.best.compared.values()]
    return Effect(ranked[one], ranked[other], value, error, max(quantiles) * error if quantiles else None)


def _further(found: Proposal | None, ranked: Sequence[str], by_key: dict[str, DiffRow]) -> Further | None:
    if found is None:
        return None
    return Further(
        ranked[found.run], by_key[found.key], ranked[found.like], tuple(by_key[key] for key in found.credited)
    )
