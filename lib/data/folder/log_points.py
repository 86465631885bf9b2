"""The numbers of a log of rows, as arrays: one point for each number, in the order in which they were written."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lib.core.facts.values import number

_MOST_NESTED = 10**6
"""More numbers than one value of a row holds, however deeply nested."""


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """The numbers of a log, in the order in which they were written.

    Attributes:
        names: The metrics, in the order in which they first occur.
        metric: Shape (n,), int64: the place of each point's metric in ``names``.
        step: Shape (n,), int64.
        epoch: Shape (n,), float64, NaN where not logged.
        at: Seconds on some clock, shape and gaps as ``epoch``.
        value: Shape (n,), float64.
    """

    names: tuple[str, ...]
    metric: np.ndarray
    step: np.ndarray
    epoch: np.ndarray
    at: np.ndarray
    value: np.ndarray

    def __len__(self) -> int:
        return len(self.step)

    def places(self) -> dict[str, np.ndarray]:
        """The positions of the points of each metric."""
        order = np.argsort(self.metric, kind="stable")
        ends = np.cumsum(np.bincount(self.metric, minlength=len(self.names)))
        return dict(zip(self.names, np.split(order, ends[:-1]), strict=True)) if self.names else {}

    def of(self, names: Collection[str]) -> np.ndarray:
        """Which points are of these metrics: a mask."""
        return np.array([name in names for name in self.names], dtype=bool)[self.metric]

    def frame(self, names: Collection[str]) -> pd.DataFrame:
        """The points of these metrics: ``metric`` (text), ``step``, ``value``."""
        kept = self.of(names)
        metric = np.array(self.names, dtype=object)[self.metric[kept]]
        return pd.DataFrame(
            {"metric": pd.Series(metric, dtype="str"), "step": self.step[kept], "value": self.value[kept]}
        )

    def begins(self, other: Points) -> bool:
        """Whether these are the first points of ``other``."""
        count = len(self)
        if count > len(other):
            return False
        return bool(
            np.array_equal(self.step, other.step[:count])
            and np.array_equal(self.value, other.value[:count], equal_nan=True)
            # Metrics are numbered as they first occur.
            and np.array_equal(self.metric, other.metric[:count])
            and self.names == other.names[: len(self.names)]
        )

    def opening(self, count: int) -> str:
        """How the log begins, as text: equal for logs whose first ``count`` points are. Identities rest on it."""
        names = [self.names[code] for code in self.metric[:count].tolist()]
        return repr(list(zip(names, self.step[:count].tolist(), self.value[:count].tolist(), strict=True)))

    def openings(self, counts: Sequence[int]) -> list[str]:
        """The same for several counts, as short marks.

        Args:
            counts: In ascending order, none above the number of points.
        """
        # Zero has a sign, and NaN many forms, which logs do not.
        value = np.where(np.isnan(self.value), np.nan, self.value + 0.0)
        rows = np.stack((self.step, value.view(np.int64), self.metric), axis=1)
        seen, found, before = hashlib.blake2b(digest_size=12), [], 0
        for count in counts:
            seen.update(np.ascontiguousarray(rows[before:count]).tobytes())
            own = seen.copy()
            known = int(self.metric[:count].max()) + 1 if count else 0
            own.update(repr(self.names[:known]).encode("utf-8", "surrogatepass"))
            found.append(own.hexdigest())
            before = count
        return found


def points_of(
    located: Sequence[tuple[int, Mapping[str, Any]]],
    at: np.ndarray,
    no_metrics: Collection[str],
    renamed: Mapping[str, str],
) -> Points:
    """The numbers of rows.

    Rows of the same keys are taken together, column by column: most logs have two or three kinds of rows.

    Args:
        located: Each row with its step.
        at: When each was written, shape (rows,).
        no_metrics: Keys that are none.
        renamed: What keys are called, where that is not their own name.
    """
    kinds: dict[tuple[str, ...], list[int]] = {}
    for index, (_, row) in enumerate(located):
        kinds.setdefault(tuple(row), []).append(index)
    codes: dict[str, int] = {}
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
    for keys, rows in kinds.items():
        own = np.array(rows, dtype=np.int64)
        for place, key in enumerate(keys):
            if key in no_metrics or (key == "train_loss" and "loss" in keys):
                continue
            column = [located[index][1][key] for index in rows]
            plain = _plain(column)
            if plain is not None:
                code = codes.setdefault(renamed.get(key, key), len(codes))
                rank = np.full(len(own), place * _MOST_NESTED, dtype=np.int64)
                parts.append((own, rank, np.full(len(own), code, dtype=np.int64), plain))
                continue
            odd = [
                (index, place * _MOST_NESTED + at_place, codes.setdefault(name, len(codes)), value)
                for index, held in zip(rows, column, strict=True)
                for at_place, (name, value) in enumerate(_flat(key, held, renamed))
            ]
            if odd:
                where, rank_of, code_of, value_of = zip(*odd, strict=True)
                parts.append(
                    (np.array(where), np.array(rank_of), np.array(code_of), np.array(value_of, dtype=np.float64))
                )
    steps = np.fromiter((step for step, _ in located), dtype=np.int64, count=len(located))
    epoch = np.array([_epoch(row.get("epoch")) for _, row in located], dtype=np.float64)
    if not parts:
        none = np.empty(0, dtype=np.int64)
        return Points((), none, none, np.empty(0), np.empty(0), np.empty(0))
    row_of, rank_in, metric, value = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.lexsort((rank_in, row_of))
    row_of, metric, value = row_of[order], metric[order], value[order]
    first = np.full(len(codes), len(metric), dtype=np.int64)
    np.minimum.at(first, metric, np.arange(len(metric)))
    by_first = np.argsort(first, kind="stable")
    number_of = np.empty(len(codes), dtype=np.int64)
    number_of[by_first] = np.arange(len(codes))
    names = list(codes)
    ordered = tuple(names[code] for code in by_first)
    return Points(ordered, number_of[metric], steps[row_of], epoch[row_of], at[row_of], value)


def numbers_in(
    row: Mapping[str, Any], no_metrics: Collection[str], renamed: Mapping[str, str]
) -> Iterator[tuple[str, float]]:
    """The numbers of one row by their metric names, in the order in which they stand."""
    for key, value in row.items():
        if key not in no_metrics and not (key == "train_loss" and "loss" in row):
            yield from _flat(key, value, renamed)


def _flat(key: str, value: Any, renamed: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    pending = [(key, value)]
    while pending:
        name, held = pending.pop()
        if isinstance(held, dict):
            pending.extend((f"{name}/{inner}", each) for inner, each in reversed(held.items()))
        elif (parsed := held if type(held) is float else number(held)) is not None:
            yield renamed.get(name, name), parsed


def _plain(column: Sequence[Any]) -> np.ndarray | None:
    """The column as numbers, where all of it is numbers."""
    if not set(map(type, column)) <= {float, int}:
        return None
    try:
        return np.array(column, dtype=np.float64)
    except OverflowError:
        return None


def _epoch(value: Any) -> float:
    if type(value) is float:
        return value
    parsed = number(value)
    return math.nan if parsed is None else parsed
