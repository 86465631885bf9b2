"""Which runs are repeats of each other: the same effective configuration and data, another seed.

How far the results of repeats lie apart is the noise of training, measured instead of assumed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from lib.core.config.derived import LAST_RATE
from lib.core.config.effective import effective
from lib.core.config.parameters import PARAMETERS, Group
from lib.core.config.setting import FOLDER, Setting, value_of
from lib.core.config.values import MASKED, comparable
from lib.core.facts.runs import RunSummary
from lib.core.facts.values import whole

SEED_KEYS = frozenset(("seed", "data_seed"))
"""What may differ between repeats: the seeds of initialisation and of the order of the samples."""

_MEASURED = ("max_learning_rate", "min_learning_rate")
"""Columns that tell what the schedule reached, which is less in a run that ended early."""

_INPUT_PATH = re.compile(r"model|adapter|tokenizer|template|reward|ref|data|deepspeed|fsdp|config|init|resume|split")
"""A path named like this leads to what was trained with; other paths and ids say where results went."""

_RESUMED = ("resumed_from_run_id", "resumed_from_checkpoint", "resume_from_checkpoint")
_SAMPLES = ("train_samples", "val_samples", "total_samples")


def seed_of(run: RunSummary) -> int | None:
    """Return the seed that ``run`` states; ``None`` where it states none. No default is assumed."""
    return whole(value_of(effective(run), "seed"))


def repeat_groups(runs: Sequence[RunSummary]) -> Mapping[str, str]:
    """Find the runs that are repeats of each other.

    Returns:
        By ``run_id`` of each run that has a repeat, the name of its group: the smallest ``run_id`` in it.
        The runs of a group have the same effective configuration and at least two different seeds; two
        of them may have the same one (``seed_of``), and are then no independent repeats. Runs without a
        seed are in no group, nor is one that cannot be told to be the same as every other of its group.
    """
    facts = {run.run_id: RunSettings(run) for run in runs}
    alike: dict[frozenset[tuple[str, tuple[object, ...]]], list[list[RunSummary]]] = defaultdict(list)
    # Only runs that state the same can be repeats, so only those are compared one by one.
    for run in sorted(runs, key=lambda run: run.run_id):
        own = facts[run.run_id]
        if own.seed is None or not (own.config or run.unseeded):
            continue
        groups = alike[frozenset(_values(own.column | own.config).items())]
        for group in groups:
            if all(same_configuration(own, facts[other.run_id]) for other in group):
                group.append(run)
                break
        else:
            groups.append([run])
    found: dict[str, str] = {}
    for group in (group for groups in alike.values() for group in groups):
        if len({facts[run.run_id].seed for run in group}) > 1:
            found |= {run.run_id: group[0].run_id for run in group}
    return MappingProxyType(found)


class RunSettings:
    """The settings of one run that count, parted by where they are from."""

    __slots__ = ("column", "config", "folder", "input_paths", "resumed", "run", "seed")

    def __init__(self, run: RunSummary) -> None:
        self.run = run
        settings = effective(run)
        self.config: dict[str, Setting] = {}
        self.column: dict[str, Setting] = {}
        self.input_paths: dict[str, Setting] = {}
        self.folder: Setting | None = settings.get("dataset" + FOLDER)
        resumed = [settings[key] for key in _RESUMED if key in settings]
        self.resumed = any(one.value not in (None, False, "") for one in resumed)
        self.seed = whole(value_of(settings, "seed"))
        for key, setting in settings.items():
            if setting.derived or setting.value is MASKED or key in SEED_KEYS or key.startswith("metadata."):
                continue
            parameter = PARAMETERS.get(key)
            if setting.value is None and not (parameter and parameter.null_counts):
                continue
            if setting.group is Group.IDENTITY:
                if _is_input(key):
                    self.input_paths[key] = setting
            elif not setting.source.startswith("column"):
                self.config[key] = setting
            elif key not in _MEASURED and setting.source != LAST_RATE:
                self.column[key] = setting

    def get(self, key: str) -> Setting | None:
        return self.config.get(key) or self.column.get(key)


def _is_input(key: str) -> bool:
    last = re.split(r"[.\]]", key)[-1]
    return (
        key != "dataset" + FOLDER
        and bool(re.search(r"(?:_path|_dir|_folder|_url|^path|^url)$", last))
        and bool(_INPUT_PATH.search(key))
    )


def same_configuration(one: RunSettings, other: RunSettings) -> bool | None:
    """Tell whether two runs were trained with the same effective configuration on the same data.

    Left out of account are the seeds, derived values, secrets, ``metadata``, and what only names a run or
    says where its results went. Data are the same if their name is, and their numbers of samples where
    both are known; if they lay in different folders the numbers must be known.

    Returns:
        ``None`` where it cannot be told: a run has recorded no configuration or no dataset, and their names do not
        differ in the seed alone; it was resumed from another, or states only in a column what the other does not
        state.
    """
    unknown = False
    for key in {*one.config, *one.column, *other.config, *other.column}:
        mine, theirs = one.get(key), other.get(key)
        if mine is None or theirs is None:
            if key in one.config or key in other.config:
                return False
            unknown = True
        elif comparable(mine.value, mine.comparison) != comparable(theirs.value, theirs.comparison):
            return False
    samples = [(getattr(one.run, name), getattr(other.run, name)) for name in _SAMPLES]
    counted = [pair for pair in samples if None not in pair]
    if any(mine != theirs for mine, theirs in counted):
        return False
    is_known = one.config and other.config and one.get("dataset") is not None
    if unknown or one.resumed or other.resumed or not (is_known or _are_named_alike(one.run, other.run)):
        return None
    if _values(one.input_paths) != _values(other.input_paths):
        return None
    moved = (one.folder and one.folder.value) != (other.folder and other.folder.value)
    return None if moved and not counted else True


def _are_named_alike(one: RunSummary, other: RunSummary) -> bool:
    """Whether the names of two logs of one program differ in the seed alone: they say what no configuration does."""
    return one.unseeded is not None and one.unseeded == other.unseeded and one.formats == other.formats


def _values(settings: Mapping[str, Setting]) -> dict[str, tuple[object, ...]]:
    return {key: comparable(one.value, one.comparison) for key, one in settings.items()}
