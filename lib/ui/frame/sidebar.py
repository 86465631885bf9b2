"""The list of runs in the sidebar: one component, drawn by ``static/runs.js``; what is chosen there is taken here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from lib.core.facts.query import PAGE_SIZE, RunPage, RunQuery
from lib.core.facts.selection import toggle
from lib.core.facts.sizes import LONGEST_LIST
from lib.data.source import RunSource, wall_clock
from lib.ui.frame import empty, refreshing, static
from lib.ui.frame.run_list import Line, RunList, run_list
from lib.ui.session import first_look, link, reads, url
from lib.ui.session.comparison import Comparison
from lib.ui.uploads import uploads

RUNS = "runs"
"""The element's key."""
_TURN = "runs:turn"


def run_picker(source: RunSource, compared: Comparison) -> None:
    """Draw the list; what is asked for there is taken before the page runs again."""
    query = url.query()
    with first_look.reading():
        page, labels = _came_first(source, query, reads.list_runs(source, query), reads.list_labels(source, query))
    # A selected run is called here what it is called in the charts.
    labels |= dict(compared.labels)
    shown = run_list(page, query, compared, labels, source.now(), empty.no_runs(page), wall_clock())
    static.component("runoff_runs", "runs.js", "runs.css")(
        key=RUNS,
        data=json.dumps(_sent(shown, st.session_state.get(_TURN, 0)), ensure_ascii=False).encode(),
        on_asked_change=_take,
    )


def _came_first(
    source: RunSource, query: RunQuery, page: RunPage, labels: dict[str, str]
) -> tuple[RunPage, dict[str, str]]:
    """The page with the runs of the last upload before all others, so that they are in sight, and its labels.

    Of a list that is narrowed only those that match are there.
    """
    came = uploads.came()
    if came is None or not came.run_ids:
        return page, dict(labels)
    place = {run_id: at for at, run_id in enumerate(came.run_ids)}
    listed = {run.run_id for run in page.runs}
    is_narrowed = bool(query.search.strip() or query.status)
    beyond = () if is_narrowed else tuple(run_id for run_id in came.run_ids[:PAGE_SIZE] if run_id not in listed)
    runs = sorted((*page.runs, *reads.load_runs(source, beyond)), key=lambda run: place.get(run.run_id, len(place)))
    return replace(page, runs=tuple(runs)), reads.run_labels(source, beyond) | labels


def _sent(shown: RunList, turn: int) -> dict[str, Any]:
    """What ``static/runs.js`` reads; ``turn`` is the last one of what was asked for that this answers."""
    return {
        "turn": turn,
        "selected": [_line(line) for line in shown.selected],
        "shared": shown.shared,
        "selectedValue": shown.selected_value,
        "otherValue": shown.other_value,
        "others": [_line(line) for line in shown.others],
        "count": shown.count,
        "nothing": shown.nothing,
        "more": shown.more,
        "beyond": shown.beyond,
        "limit": shown.query.limit,
        "search": shown.query.search,
        "status": shown.query.status or "",
        "sort": shown.query.sort,
        "statuses": shown.statuses,
        "orders": shown.orders,
        "unreadable": shown.unreadable,
        "unused": shown.unused,
        "looking": shown.looking,
        "verdict": shown.verdict,
        "most": shown.most,
        "tooMany": shown.too_many,
    }


def _line(line: Line) -> dict[str, Any]:
    told: dict[str, Any] = {"id": line.run_id, "name": line.name, "value": line.value, "details": line.details}
    if line.mark:
        told["mark"] = line.mark
    if line.unusual:
        told["unusual"] = line.unusual
    if line.slot is not None:
        told |= {"slot": line.slot, "recommended": line.is_recommended}
    return told


def _take() -> None:
    """Take all that was asked for since the turn that the browser knows to be answered.

    So what comes twice does no harm, and a message that another one overtakes is not missed.
    """
    asked: Mapping[str, Any] | None = getattr(st.session_state.get(RUNS), "asked", None)
    if not asked:
        return
    st.session_state[_TURN] = asked["turn"]
    selected = () if asked.get("clear") else url.value(link.RUNS)
    for run_id, on in asked.get("picks", ()):
        selected = toggle(selected, run_id, on)
    url.put(link.RUNS, selected)
    if "search" in asked:
        url.put(link.SEARCH, str(asked["search"]))
    if "status" in asked:
        url.put(link.STATUS, link.STATUS.parse([asked["status"]]) if asked["status"] else None)
    if "sort" in asked:
        url.put(link.SORT, link.SORT.parse([asked["sort"]]))
    if "limit" in asked:
        # No link carries more, whatever a browser asks for.
        url.put(link.LIMIT, min(int(asked["limit"]), LONGEST_LIST))
    if asked.get("refresh"):
        refreshing.refresh()
