"""What a link carries: one declaration for each parameter; reading, writing and what charts depend on follow from it.

Nothing here needs a page: what makes or reads a link elsewhere uses the same declarations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar, cast

from lib.core.budget.spent import Kind, Price, amount_of, price_of
from lib.core.curves.axes import Axis
from lib.core.facts.metrics import LOSS_CHART, METRICS
from lib.core.facts.query import PAGE_SIZE, RunSort
from lib.core.facts.readings import readings
from lib.core.facts.runs import RunStatus
from lib.core.facts.sizes import (
    LONGEST_LIST,
    LONGEST_PARAMETER,
    LONGEST_SEARCH,
    MOST_NAMED_CHARACTERS,
    MOST_OCCURRENCES,
    cut_text,
    plain_text,
)
from lib.core.ranking.policy import DEFAULT_POLICY

T = TypeVar("T", bound=Hashable)

PARAMS: dict[str, Param[Any]] = {}
"""Every parameter by its name, in the order of declaration, which is also their order in a link."""


@dataclass(frozen=True, slots=True, eq=False)
class Param(Generic[T]):
    """One parameter of a link. To make one is to declare it: nothing else is needed for it to be carried.

    Attributes:
        name: In the link.
        default: The value that is left out of the link.
        parse: From the link's texts, one for each occurrence and at least one; raises ValueError if they make no sense.
        show: To the link's texts, of which ``parse`` makes the same value again.
        charts: Every chart is looked at through it, so that it is part of what charts are remembered under.

    Raises:
        ValueError: If there is another one of this name.
    """

    name: str
    default: T
    parse: Callable[[Sequence[str]], T]
    show: Callable[[T], list[str]] = lambda value: [str(value)]
    charts: bool = False

    def __post_init__(self) -> None:
        if self.name in PARAMS:
            raise ValueError(f"A link cannot carry two parameters that are called {self.name!r}.")
        PARAMS[self.name] = self


@dataclass(frozen=True, slots=True)
class LinkState:
    """The values of all parameters: two are equal where every value is.

    Attributes:
        changed: Name and value of those that are not at their default, in the order of declaration.
    """

    changed: tuple[tuple[str, Hashable], ...] = ()

    def __getitem__(self, param: Param[T]) -> T:
        return cast("T", dict(self.changed).get(param.name, param.default))

    def having(self, param: Param[T], value: T) -> LinkState:
        """The same with another value of one parameter."""
        return _state(dict(self.changed) | {param.name: value})

    @property
    def of_charts(self) -> LinkState:
        """The same with only what every chart is looked at through; the rest is at its default."""
        return LinkState(tuple((name, value) for name, value in self.changed if PARAMS[name].charts))

    @property
    def texts(self) -> dict[str, list[str]]:
        """The query string: what is not at its default, always in one order."""
        return {name: PARAMS[name].show(value) for name, value in self.changed}


def parse(texts: Mapping[str, Sequence[str]]) -> tuple[LinkState, tuple[str, ...]]:
    """Read a query string.

    Args:
        texts: By name, one for each occurrence. Names that are not declared belong to others.

    Returns:
        The values, and the parts that made no sense, as "name=value": these are at their default. Of what is longer
        than ``lib.core.facts.sizes`` allows it is said how much there was.
    """
    values: dict[str, Hashable] = {}
    ignored: list[str] = []
    for name, param in PARAMS.items():
        if not (found := texts.get(name)):
            continue
        if len(found) > MOST_OCCURRENCES:
            ignored.append(f"{name} behind the first {MOST_OCCURRENCES} of {len(found):,}")
            found = found[:MOST_OCCURRENCES]
        short = [plain_text(text) for text in found if len(text) <= LONGEST_PARAMETER]
        if long := [text for text in found if len(text) > LONGEST_PARAMETER]:
            ignored.append(
                f"{name}={cut_text(plain_text(long[0]), MOST_NAMED_CHARACTERS)} ({len(long[0]):,} characters)"
            )
        if short:
            try:
                values[name] = param.parse(short)
            except ValueError:
                ignored.append(f"{name}={cut_text(found[-1], MOST_NAMED_CHARACTERS)}")
    return _state(values), tuple(ignored)


def _state(values: Mapping[str, Hashable]) -> LinkState:
    changed = ((name, values.get(name, param.default)) for name, param in PARAMS.items())
    return LinkState(tuple((name, value) for name, value in changed if value != PARAMS[name].default))


def _text(texts: Sequence[str]) -> str:
    if len(texts[-1]) > LONGEST_SEARCH:
        raise ValueError(f"expected at most {LONGEST_SEARCH} characters")
    return texts[-1]


def _names(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, texts)))


def _one_of(*allowed: str) -> Callable[[Sequence[str]], str]:
    def parse(texts: Sequence[str]) -> str:
        if texts[-1] not in allowed:
            raise ValueError(f"expected one of {', '.join(allowed)}")
        return texts[-1]

    return parse


def _number(low: float, high: float) -> Callable[[Sequence[str]], float]:
    def parse(texts: Sequence[str]) -> float:
        value = float(texts[-1])
        if not low <= value <= high:
            raise ValueError(f"expected a number from {low:g} to {high:g}")
        return value

    return parse


def _range(texts: Sequence[str]) -> tuple[float, float]:
    start, end = (float(part) for part in texts[-1].split("~"))
    if not (math.isfinite(start) and math.isfinite(end) and start < end):
        raise ValueError("expected two positions, the lower first")
    return start, end


def _position(texts: Sequence[str]) -> float:
    value = float(texts[-1])
    if not math.isfinite(value):
        raise ValueError("expected a position")
    return value


def _exact(*values: float) -> list[str]:
    """Numbers as one text: as short as it can be and still be read as the same ones."""
    return ["~".join(repr(float(value)).removesuffix(".0") for value in values)]


def _switch(name: str, *, on: str = "1", off: str = "0", charts: bool = False) -> Param[bool]:
    """A parameter that is off by default, with its two texts."""
    return Param(name, False, lambda texts: _one_of(on, off)(texts) == on, lambda value: [on if value else off], charts)


LOSSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "train and eval": tuple(key for key, metric in METRICS.items() if metric.chart == LOSS_CHART),
        "train": tuple(key for key, metric in METRICS.items() if metric.chart == LOSS_CHART and not metric.evaluated),
        "eval": tuple(key for key, metric in METRICS.items() if metric.chart == LOSS_CHART and metric.evaluated),
        "relative": tuple(key for key, metric in METRICS.items() if metric.chart == LOSS_CHART and metric.evaluated),
    }
)
"""Which losses the loss chart shows, by the choice of them; "relative": as shares of each run's first evaluation."""
LOSS_MODES = tuple(LOSSES)

SMOOTHING_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
"""The weights of smoothing that the page offers; a link may carry any other one too."""

RUNS: Param[tuple[str, ...]] = Param("run", (), _names, list)
SEARCH: Param[str] = Param("q", "", _text)
STATUS: Param[RunStatus | None] = Param("status", None, lambda texts: RunStatus(texts[-1]))
SORT: Param[RunSort] = Param("sort", RunSort.NEWEST, lambda texts: RunSort(texts[-1]))
LIMIT: Param[int] = Param("list", PAGE_SIZE, lambda texts: int(_number(PAGE_SIZE, LONGEST_LIST)(texts)))
EVAL_WEIGHT: Param[float] = Param("weight", DEFAULT_POLICY.eval_weight, _number(0.0, 1.0), _exact)
BY: Param[str] = Param("by", "", _text)
DIRECTION: Param[str] = Param("better", "", _one_of("", "lower", "higher"))
BASE: Param[str] = Param("base", "", lambda texts: texts[-1])
"""The run that the others are compared with; "" for none."""
MINUS: Param[bool] = _switch("minus")
"""Charts show the differences to that."""
READ_AS: Param[tuple[tuple[str, str], ...]] = Param(
    "as", (), readings, lambda named: [f"{name}~{metric}" for name, metric in named]
)
"""What a program called a metric, and which of ours it is; "" for none of ours."""
ENDED: Param[bool] = _switch("ended")
"""Runs whose logs do not say whether their training ended count as completed: whoever made the link says so."""
AXIS: Param[Axis] = Param("x", Axis.STEP, lambda texts: Axis(texts[-1]), charts=True)
LOSS_MODE: Param[str] = Param("loss", LOSS_MODES[0], _one_of(*LOSS_MODES))
SMOOTHING: Param[float] = Param("smooth", 0.0, _number(0.0, 0.99), _exact, charts=True)
LOG_Y: Param[bool] = _switch("log", charts=True)
OUTLIERS: Param[str] = Param("outliers", "auto", _one_of("auto", "ignored", "shown"))
"""Whether the y axis ignores outliers; by itself it does where the start of training dwarfs the rest."""
ZOOM: Param[tuple[float, float] | None] = Param("zoom", None, _range, lambda ends: _exact(*ends or ()), charts=True)
PIN: Param[float | None] = Param("pin", None, _position, lambda place: [] if place is None else _exact(place))
EVERY_ROW: Param[bool] = _switch("rows", on="all", off="some")
MORE_METRICS: Param[tuple[str, ...]] = Param("metric", (), _names, list)
COLUMNS: Param[tuple[str, ...]] = Param("col", (), _names, list)
BUDGET: Param[tuple[Kind, float] | None] = Param(
    "budget", None, lambda texts: amount_of(texts[-1]), lambda at: [] if at is None else [f"{at[0]}~{_exact(at[1])[0]}"]
)
"""The amount at which runs are compared; by default the most that all of them reached."""
PRICE: Param[Price | None] = Param(
    "price",
    None,
    lambda texts: price_of(texts[-1]),
    lambda price: [] if price is None else [f"{_exact(price.amount)[0]}~{price.sign}"],
)
"""Of an hour of one GPU."""
DIFF_SEARCH: Param[str] = Param("find", "", _text)
DIFF_ALL: Param[bool] = _switch("equal")
