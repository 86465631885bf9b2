"""Tables with one row for each run: its name, its settings and what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lib.core.facts.runs import normalise_status
from lib.core.facts.values import clock_unit
from lib.data.formats.logged import FilePath, LoggedRun
from lib.data.formats.tables.axes import plain_name
from lib.data.formats.tables.table import Table
from lib.data.formats.tables.vocabulary import IDENTITY_NAMES, RUN_NAMES, is_measured, is_setting
from lib.data.formats.tables.written import seconds_of

MOST_RUNS = 10_000
"""A sweep has thousands; more rows are data."""
_NAMES = (*RUN_NAMES, "number", "id", "uuid", "model", "model_name", "config")
_STATES = frozenset({"state", "status"})
_OUTCOMES = frozenset({"value", "objective", "objective_value"})
_STARTS = frozenset({"created", "created_at", "start_time", "datetime_start", "started"})


@dataclass(frozen=True, slots=True)
class Roles:
    """What the columns of such a table are.

    Attributes:
        name: What runs are called.
        identity: What they are called wherever they are logged.
        state: The log's word for the status.
        created: When they were made.
        last: Numbers that they came to.
        config: Settings.
        tags: Facts in words, by what they are called here.
    """

    name: str | None
    identity: str | None = None
    state: str | None = None
    created: str | None = None
    last: Sequence[str] = ()
    config: Sequence[str] = ()
    tags: Sequence[str] = field(default_factory=tuple)


def roles_of(table: Table) -> Roles | None:
    """The roles in a table of runs; ``None`` where it does not look like one.

    It looks like one where a column names every row differently, another is surely a hyperparameter, and a third
    holds what was measured: a data set has no hyperparameters, and a list of results names no settings.
    """
    if not 0 < table.rows <= MOST_RUNS:
        return None
    ranks = {name: rank + len(_NAMES) * (name in IDENTITY_NAMES) for rank, name in enumerate(_NAMES)}
    named = sorted((ranks[plain], name) for name in table.names if (plain := plain_name(name)) in ranks)
    named = [(rank, name) for rank, name in named if _names_rows(table, name)]
    if not named:
        return None
    name, naming = named[0][1], {each for _, each in named}
    rest = [each for each in table.names if each != name and plain_name(each)]
    last = [
        each
        for each in rest
        if each in table.numbers and (is_measured(each) or plain_name(each) in _OUTCOMES) and each not in naming
    ]
    if not last or not any(is_setting(each) for each in rest):
        return None
    identity = next(
        (each for each in table.names if plain_name(each) in IDENTITY_NAMES and _names_rows(table, each)), None
    )
    state = next((each for each in table.words if plain_name(each) in _STATES), None)
    created = next((each for each in rest if plain_name(each) in _STARTS), None)
    special = {identity, state, created, *last}
    return Roles(name, identity, state, created, last, [each for each in rest if each not in special])


def _names_rows(table: Table, name: str) -> bool:
    """Whether a column has another value in each row."""
    if name in table.words:
        codes = table.words[name].codes
        return bool((codes >= 0).all() and np.unique(codes).size == codes.size)
    column = table.numbers.get(name)
    return (
        column is not None
        and bool(column.given.all() and np.isfinite(column.values).all())
        and np.unique(column.values).size == column.values.size
    )


def runs_of_rows(table: Table, roles: Roles, file: FilePath, section: str = "table") -> list[LoggedRun]:
    """A run for each row, without series.

    Args:
        table: The table.
        roles: What its columns are.
        file: Where it stood.
        section: Where the settings of a run go.
    """
    runs: list[LoggedRun] = []
    often: dict[str, int] = {}
    for row in range(min(table.rows, MOST_RUNS)):
        name, identity, said = (_text(table, each, row) for each in (roles.name, roles.identity, roles.state))
        key = identity or name or f"row {row + 1}"
        often[key] = often.get(key, 0) + 1
        runs.append(
            LoggedRun(
                files=(file,),
                key=key if often[key] == 1 else f"{key} ({often[key]})",
                name=name or identity,
                identity=identity,
                config=_config(table, roles.config, row, section),
                last={
                    each: float(column.values[row])
                    for each in roles.last
                    if (column := table.numbers.get(each)) is not None and column.given[row]
                },
                status=normalise_status(said),
                said=said or None,
                created_at=_seconds(table, roles.created, row),
                tags={plain_name(each): text for each in roles.tags if (text := _text(table, each, row))},
            )
        )
    return runs


def _config(table: Table, names: Sequence[str], row: int, section: str) -> dict[str, Any]:
    found = {name: value for name in names if (value := value_at(table, name, row)) is not None}
    return {section: found} if found else {}


def value_at(table: Table, name: str, row: int) -> float | int | str | bool | None:
    """What stands in a cell: a whole number as an integer, "True" as a truth; ``None`` for nothing."""
    column = table.numbers.get(name)
    if column is not None:
        if not column.given[row]:
            return None
        value = float(column.values[row])
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    words = table.words.get(name)
    text = words.at(row) if words is not None else ""
    return {"true": True, "false": False}.get(text.lower(), text) if text else None


def _text(table: Table, name: str | None, row: int) -> str:
    value = value_at(table, name, row) if name is not None else None
    return "" if value is None else str(value)


def _seconds(table: Table, name: str | None, row: int) -> float | None:
    if name is None:
        return None
    value = value_at(table, name, row)
    if isinstance(value, str):
        return seconds_of(value)
    return float(value) * clock_unit(float(value)) if isinstance(value, int | float) else None
