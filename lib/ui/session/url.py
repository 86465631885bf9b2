"""Everything that a link carries: selection, filters and page options, in step with the session.

Each ``Param`` lives in the session under a key of ours, for as long as the session lasts. A widget
that edits it has a key of its own, which Streamlit drops when the page changes, and a callback that
writes the value back. The URL follows the session and is written only when it differs, since each
write is a step in the browser's history. A URL that is not the one we wrote came from the user (a
link, Back, a reload): then the session follows the URL. Two exceptions: a run that a widget of ours
started may arrive with a URL that is one step behind, and a link of the menu may carry options that
a fragment has changed since; in both the session leads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st

from lib.core.curves.axes import Axis
from lib.core.facts.query import PAGE_SIZE, RunQuery, RunSort
from lib.core.facts.runs import RunStatus
from lib.core.ranking.scoring import DEFAULT_POLICY

T = TypeVar("T")
_WRITTEN, _PAGE, _IGNORED = "url:written", "url:page", "url:ignored"
_TOUCHED, _MENU = "url:touched", "url:menu"


@dataclass(frozen=True, slots=True)
class Param(Generic[T]):
    """One value of the URL.

    Attributes:
        name: In the URL.
        default: The value that is left out of the URL.
        parse: From the URL's texts, one for each occurrence; raises ValueError if they make no sense.
        show: To the URL's texts.
    """

    name: str
    default: T
    parse: Callable[[Sequence[str]], T]
    show: Callable[[T], list[str]] = lambda value: [str(value)]

    @property
    def value(self) -> T:
        """The value that holds in this session."""
        return st.session_state.get(f"param:{self.name}", self.default)

    def set(self, value: T) -> None:
        """Make ``value`` hold in this session; the URL follows at the end of the run."""
        st.session_state[f"param:{self.name}"] = value
        st.session_state[_TOUCHED] = True

    @property
    def key(self) -> str:
        """The key of the widget that edits this value."""
        return f"widget:{self.name}"

    def widget(self, shown: Any = None, *, adopt: Callable[[Any], T] | None = None) -> dict[str, Any]:
        """Key and callback of the widget that edits this value, set to it.

        Args:
            shown: The widget's value where it is not the parameter's own.
            adopt: Makes the parameter's value of the widget's.
        """
        key = self.key
        st.session_state[key] = self.value if shown is None else shown

        def take() -> None:
            value = st.session_state[key]
            self.set(adopt(value) if adopt else value)

        return {"key": key, "on_change": take}


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


def _exact(value: float) -> str:
    return repr(int(value)) if value == int(value) else repr(value)


def _flag(texts: Sequence[str]) -> bool:
    return _one_of("1", "0")(texts) == "1"


LOSS_MODES = ("train and eval", "train", "eval")

SMOOTHING_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
"""The weights of smoothing that the page offers; a link may carry any other one too."""

RUNS: Param[tuple[str, ...]] = Param("run", (), lambda texts: tuple(dict.fromkeys(filter(None, texts))), list)
SEARCH: Param[str] = Param("q", "", lambda texts: texts[-1].strip())
STATUS: Param[RunStatus | None] = Param("status", None, lambda texts: RunStatus(texts[-1]), lambda value: [value.value])
SORT: Param[RunSort] = Param("sort", RunSort.NEWEST, lambda texts: RunSort(texts[-1]))
LIMIT: Param[int] = Param("list", PAGE_SIZE, lambda texts: int(_number(PAGE_SIZE, 100_000)(texts)))
EVAL_WEIGHT: Param[float] = Param("weight", DEFAULT_POLICY.eval_weight, _number(0.0, 1.0), lambda value: [f"{value:g}"])
AXIS: Param[Axis] = Param("x", Axis.STEP, lambda texts: Axis(texts[-1]))
LOSS_MODE: Param[str] = Param("loss", LOSS_MODES[0], _one_of(*LOSS_MODES))
SMOOTHING: Param[float] = Param("smooth", 0.0, _number(0.0, 0.99), lambda value: [f"{value:g}"])
LOG_Y: Param[bool] = Param("log", False, _flag, lambda value: ["1" if value else "0"])
ZOOM: Param[tuple[float, float] | None] = Param("zoom", None, _range, lambda value: ["~".join(map(_exact, value))])
PIN: Param[float | None] = Param("pin", None, _position, lambda value: [_exact(value)])
EVERY_ROW: Param[bool] = Param(
    "rows", False, lambda texts: _one_of("all", "some")(texts) == "all", lambda value: ["all" if value else "some"]
)
MORE_METRICS: Param[tuple[str, ...]] = Param("metric", (), lambda texts: tuple(dict.fromkeys(texts)), list)
COLUMNS: Param[tuple[str, ...]] = Param("col", (), lambda texts: tuple(dict.fromkeys(texts)), list)
DIFF_SEARCH: Param[str] = Param("find", "", lambda texts: texts[-1].strip())

PARAMS: tuple[Param, ...] = (
    RUNS, SEARCH, STATUS, SORT, LIMIT, EVAL_WEIGHT, AXIS, LOSS_MODE, SMOOTHING, LOG_Y, ZOOM, PIN,
    EVERY_ROW, MORE_METRICS, COLUMNS, DIFF_SEARCH,
)  # fmt: skip


def read(page: str) -> None:
    """Let the session follow the URL where the user changed it. Call once, first, on every page."""
    current = {name: st.query_params.get_all(name) for name in st.query_params}
    arrived = st.session_state.get(_PAGE) != page
    st.session_state[_PAGE] = page
    links = st.session_state.pop(_MENU, [])
    if current == st.session_state.get(_WRITTEN) or st.session_state.get(_TOUCHED):
        return
    known = [param for param in PARAMS if param.name in current]
    if arrived and _WRITTEN in st.session_state and (not known or current in links):
        return
    ignored = []
    for param in PARAMS:
        value = param.default
        if param in known:
            try:
                value = param.parse(current[param.name])
            except ValueError:
                ignored.append(f"{param.name}={current[param.name][-1]}")
        param.set(value)
    st.session_state[_IGNORED] = tuple(ignored)
    st.session_state[_WRITTEN] = current


def query() -> RunQuery:
    """What the sidebar lists."""
    return RunQuery(SEARCH.value, STATUS.value, SORT.value, LIMIT.value)


def texts() -> dict[str, list[str]]:
    """The query string that the session stands for: what is not at its default."""
    return {param.name: param.show(param.value) for param in PARAMS if param.value != param.default}


def write() -> None:
    """Let the URL follow the session."""
    wanted = texts()
    st.session_state[_WRITTEN] = wanted
    st.session_state[_TOUCHED] = False
    if wanted != {name: st.query_params.get_all(name) for name in st.query_params}:
        st.query_params.from_dict(wanted)


def menu_texts() -> dict[str, list[str]]:
    """The query string for links to the app's other pages."""
    query = texts()
    st.session_state.setdefault(_MENU, []).append(query)
    return query


def ignored() -> tuple[str, ...]:
    """Parts of the link that made no sense, as "name=value"."""
    return st.session_state.get(_IGNORED, ())
