"""The effective configuration of one run: for every parameter the value that the trainer used.

A value comes from the configuration before the job's columns, and among several places of the
configuration from the one that the trainer reads first (``lib.core.config.places``). Null gives way to a value
that another place states.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from lib.core.config.datasets import dataset_name
from lib.core.config.derived import LAST_RATE, EffectiveBatch, batch_of, derive, fall_back, gpus_of
from lib.core.config.module_names import misspelt
from lib.core.config.notes import between_settings, contradiction
from lib.core.config.parameters import NAMES, PARAMETERS, Group, Section
from lib.core.config.places import COLUMN_RANK, FOLDER_NAME, Place, Places, place_of
from lib.core.config.secrets import mask
from lib.core.config.setting import FOLDER, Setting, title_of
from lib.core.config.tree import leaves
from lib.core.config.values import MASKED, Comparison, comparable
from lib.core.facts.runs import RunSummary
from lib.core.facts.secret_names import Secrecy
from lib.core.facts.values import finite

_BETAS = dict.fromkeys(("betas", "adam_betas", "optimizer.betas", "optimizer.adam_betas"), ("adam_beta1", "adam_beta2"))
_PER_DEVICE = {
    "per_device_train_batch_size", "micro_batch_size", "per_device_batch_size", "per_gpu_train_batch_size",
    "train_micro_batch_size_per_gpu",
}  # fmt: skip
_PERHAPS_WHOLE = {"batch_size", "train_batch_size"}
_LINEAGE = ("resumed_from_run_id", "resumed_from_checkpoint")
_UPDATES = "parameter_updates"
_NOT_FROM_EXTRA = frozenset(("model_name", "model", "precision", "data"))
"""Names that are settings inside a configuration, and something else beside it."""


class _Statement(NamedTuple):
    """One place that states a parameter, with the value as it may be shown."""

    place: Place
    value: Any


class _Same:
    """A run by its identity: its configuration is a dictionary, which cannot be hashed, and is never changed."""

    __slots__ = ("places", "run")

    def __init__(self, run: RunSummary, places: Places | None) -> None:
        self.run, self.places = run, places

    def __hash__(self) -> int:
        return id(self.run)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.run is other.run


def effective(run: RunSummary, places: Places | None = None) -> Mapping[str, Setting]:
    """Return the effective setting of every parameter that ``run`` states, by canonical name.

    Secrets are masked. Columns that only report progress or results are no settings. What was worked out of a run is
    kept for a while, since many places ask for it: nobody may change it.

    Args:
        run: The run.
        places: Shared between runs, so that what their configurations have in common is looked at once.
    """
    return _kept(_Same(run, places))


@lru_cache(maxsize=64)
def _kept(same: _Same) -> Mapping[str, Setting]:
    places, same.places = same.places, None
    return _settings_of(same.run, places or Places())


def _settings_of(run: RunSummary, places: Places) -> Mapping[str, Setting]:
    stated: dict[str, list[_Statement]] = {}
    for statement in (*_from_config(run, places), *_from_columns(run), *_from_name(run)):
        stated.setdefault(statement.place.key, []).append(statement)
    _part_batch_sizes(stated)
    settings: dict[str, Setting] = {}
    for key, statements in stated.items():
        settings[key] = _settle(key, statements)
        if statements[0].place.is_dataset:
            _name_dataset(settings, settings[key])
    fall_back(run, settings)
    derive(settings, run.total_steps)
    for key, remark in tuple(between_settings(settings, run.total_steps)):
        settings[key] = replace(settings[key], remarks=(*settings[key].remarks, remark))
    return settings


def configured_learning_rate(run: RunSummary) -> float | None:
    """Return the learning rate that was configured: the peak of the schedule.

    From the configuration, else the column ``max_learning_rate``. The job's ``learning_rate`` is the last
    scheduled value and no substitute: ``None`` where nothing else is known.
    """
    setting = effective(run).get("learning_rate")
    return None if setting is None or setting.source == LAST_RATE else finite(setting.value)


def configured_gpus(run: RunSummary) -> int | None:
    """Return how many GPUs were configured; ``None`` where nothing says so."""
    return gpus_of(effective(run))


def effective_batch(run: RunSummary) -> EffectiveBatch:
    """Return the batch sizes of ``run``."""
    return batch_of(effective(run))


def _from_config(run: RunSummary, places: Places) -> Iterator[_Statement]:
    for path, value, container in leaves(run.config):
        place = places.of(path)
        level = place.secrecy
        if path[-1] == "value" and isinstance(container, Mapping):
            # An environment as a list of pairs: the name of the secret stands beside its value.
            level = max(level, places.named_by(container))
        pair = _BETAS.get(place.key)
        if pair is not None and isinstance(value, tuple) and len(value) == len(pair):
            # Adam's pair of coefficients, which other tools state one by one.
            for index, (key, item) in enumerate(zip(pair, value, strict=True)):
                source = f"{place.source}[{index}]"
                yield _Statement(place._replace(key=key, parameter=PARAMETERS[key], source=source), item)
        else:
            yield _Statement(place, mask(value, level))


def _part_batch_sizes(stated: dict[str, list[_Statement]]) -> None:
    """Beside a batch size that is named one per device, another value called ``batch_size`` is the effective one.

    So axolotl and DeepSpeed have it: ``batch_size`` or ``train_batch_size`` is the product of the others.
    """
    sizes = stated.get("batch_size", [])
    own = [one for one in sizes if one.value is not None and _last_name(one) in _PER_DEVICE]
    if not own:
        return
    per_device = comparable(own[0].value)
    for one in tuple(sizes):
        perhaps = _last_name(one) in _PERHAPS_WHOLE and one.value is not None and one.place.rank[0] < COLUMN_RANK
        if perhaps and comparable(one.value) != per_device:
            sizes.remove(one)
            moved = one.place._replace(key="effective_batch_size", parameter=PARAMETERS["effective_batch_size"])
            stated.setdefault("effective_batch_size", []).append(one._replace(place=moved))


def _last_name(statement: _Statement) -> str:
    return statement.place.source.rsplit(".", 1)[-1]


def _from_columns(run: RunSummary) -> Iterator[_Statement]:
    for known in PARAMETERS.values():
        if known.column and (value := getattr(run, known.column)) is not None:
            yield _Statement(place_of(known, f"column {known.column}"), mask(value, Secrecy.NONE))
    for name in _LINEAGE:
        if (value := getattr(run, name)) is not None:
            place = Place(name, None, Group.IDENTITY, (COLUMN_RANK, 0), f"column {name}", comparison=Comparison.TEXT)
            yield _Statement(place, mask(value, Secrecy.NONE))
    for name, value in run.extra.items():
        parameter, _ = NAMES.get((Section.PLAIN, str(name).lower()), (None, 0))
        # A column that a later version of the table adds is a setting if its name is that of one.
        if parameter is not None and name not in _NOT_FROM_EXTRA and isinstance(value, bool | int | float | str):
            yield _Statement(place_of(parameter, f"column {name}"), mask(value, Secrecy.NONE))
    updates = run.extra.get(_UPDATES)
    if isinstance(updates, Mapping | list) and updates:
        places = Places("column")
        for path, value, _ in leaves({_UPDATES: updates}):
            place = places.of(path)
            yield _Statement(place, mask(value, place.secrecy))


def _from_name(run: RunSummary) -> Iterator[_Statement]:
    """What the folder's name states: a hint, after the configuration, and after a fact that differs from it."""
    for name, value in (run.named or {}).items():
        meant = [NAMES[section, name] for section in (Section.PLAIN, Section.LORA) if (section, name) in NAMES]
        if not meant:
            continue
        parameter = meant[0][0]
        # The configured learning rate is the highest one.
        column = "max_learning_rate" if parameter.key == "learning_rate" else parameter.column
        known = getattr(run, column) if column else None
        rank = COLUMN_RANK - 1 if known is None or known == value else COLUMN_RANK + 1
        if rank > COLUMN_RANK and column != parameter.column:
            yield _Statement(place_of(parameter, f"column {column}"), mask(known, Secrecy.NONE))
        yield _Statement(place_of(parameter, FOLDER_NAME, (rank, 0)), value)


def _settle(key: str, statements: list[_Statement]) -> Setting:
    """Put the statement that counts first, and say where others disagree with it."""
    remarks = []
    if len(statements) > 1:
        statements.sort(key=lambda one: (one.value is None, one.place.rank, one.place.source))
        if remark := contradiction(title_of(key), statements):
            remarks.append(remark)
    place, value = statements[0]
    if place.comparison is Comparison.SET:
        remarks += misspelt(value)
    return Setting(
        key,
        value,
        place.source,
        Group.IDENTITY if value is MASKED else place.group,
        place.comparison,
        tuple((one.place.source, one.value) for one in statements),
        tuple(remarks),
    )


def _name_dataset(settings: dict[str, Setting], setting: Setting) -> None:
    """Reduce a dataset to its name, and keep its whole path as a setting of its own."""
    value = setting.value
    if isinstance(value, tuple):
        names = tuple(dataset_name(item) if isinstance(item, str) else item for item in value)
        settings[setting.key] = replace(setting, value=names)
    elif isinstance(value, str) and (name := dataset_name(value)) != value:
        settings[setting.key] = replace(setting, value=name)
        key = setting.key + FOLDER
        settings.setdefault(key, Setting(key, value, setting.source, Group.IDENTITY, Comparison.TEXT))
