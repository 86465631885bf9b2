"""What a page says when it has nothing, or not everything, to show."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

import streamlit as st

from lib.charts.palette import RUN_COLORS
from lib.core.facts.query import RunPage, RunQuery
from lib.core.facts.runs import RunStatus, RunSummary, eval_loss_of
from lib.core.facts.selection import MAX_SELECTED, is_uploaded
from lib.core.text.phrases import listed
from lib.data.source import RunSource
from lib.ui.frame import messages, refreshing
from lib.ui.frame.escape import md
from lib.ui.frame.run_list import looking
from lib.ui.session import deployment, first_look, link, reads, url
from lib.ui.session.comparison import ComparedRun, Comparison

MOST_LOOKED_AT = 25
"""Finished runs among which those are looked for that were evaluated."""
MOST_LIES = 12
"""Things that are no runs, named on a page that has none; the list beside it has all of them."""


def nothing_selected(source: RunSource) -> None:
    """Say what to do, offer the quickest start, and draw what then comes."""
    with first_look.reading():
        page = reads.list_runs(source, RunQuery(limit=MAX_SELECTED))
    if not page.runs:
        lies = [
            *((each.path, each.reason) for each in page.unreadable),
            *((each.path, each.why) for each in page.unused),
        ]
        found = "".join(f"<p><b>{escape(path)}</b> {escape(why)}</p>" for path, why in lies[:MOST_LIES])
        # A comma may stand in what is looked for.
        sought = f"<p>Looked for: {escape('; '.join(page.looked_for))}.</p>" if page.looked_for else ""
        st.html(
            '<div class="page-empty"><h2>There are no runs to compare yet.</h2>'
            f"<p>{escape(no_runs(page))}</p>{found}{sought}{_UPLOAD}</div>"
        )
        return
    st.html(
        f'<div class="page-empty"><h2>Tick two to {_NUMBERS[MAX_SELECTED]} runs, and read which one to ship, why, and'
        " what speaks against it.</h2></div>"
    )
    chosen, words = _quickest(source, page)
    count = f"the newest {words}" if len(chosen) == 1 else f"the {_NUMBERS[len(chosen)]} newest {words}s"
    st.button(
        f"Compare {count}",
        key="compare_newest",
        type="primary",
        on_click=url.put,
        args=(link.RUNS, tuple(run.run_id for run in chosen)),
    )
    st.html(f'{_UPLOAD}<img class="page-preview" alt="" src="data:image/svg+xml,{quote(_PREVIEW)}">')


_UPLOAD = (
    '<p class="page-upload">Or compare runs of your own: <button type="button" class="page-button" data-opens="upload">'
    "Upload runs</button></p>"
)


def _quickest(source: RunSource, page: RunPage) -> tuple[Sequence[RunSummary], str]:
    """The runs that the quickest start compares, and what one of them is.

    Those that ended and were evaluated, as only they can be recommended; where there are not two of them, the newest.
    """
    finished = reads.list_runs(source, RunQuery(status=RunStatus.COMPLETED, limit=MOST_LOOKED_AT)).runs
    evaluated = [run for run in finished if eval_loss_of(run) is not None][:MAX_SELECTED]
    if len(evaluated) > 1 or len(page.runs) == len(evaluated):
        return evaluated, "finished run"
    return page.runs, "run"


def no_runs(page: RunPage) -> str:
    """What to say where there are none: of a project, which hides runs from some readers, that this may be why."""
    if deployment.settings().supabase is not None:
        return (
            "There are no runs that you may see. Runs of others are hidden by the project's rules; your own are listed"
            " here as soon as there is one."
        )
    if page.looked_at is not None:
        return looking(page)
    if not page.looked_for:
        return "This source has no runs yet. As soon as one is there, it is listed here."
    return "No log of a training was found here. As soon as one is there, it is listed."


def _bar(x: int, y: int, width: int, height: int, color: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{height / 2:g}" fill="{color}"/>'


def _curve(slot: int) -> str:
    """A loss that falls; that of the last slots rises again."""
    start, lowest, rise = 130 + 14 * slot, 296 - 7 * abs(slot - 3), (0, 0, 0, 10, 22)[slot]
    points = [(40 + 28 * at, lowest - (lowest - start) * 0.82**at - rise * (at / 30) ** 3) for at in range(31)]
    path = "L".join(f"{x:.0f} {y:.1f}" for x, y in points)
    return f'<path d="M{path}" fill="none" stroke="{RUN_COLORS[slot]}" stroke-width="2"/>'


_HIDDEN = (
    " that you may read. If it should have some: the project may have no rule (a policy for select on the table of"
    " metrics) that lets you."
)
_GREY = "#88888866"
"""Pale on both grounds: a picture does not follow the theme."""
_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five"}
_FRAME = '<rect x=".5" y="{y}.5" width="939" height="{height}" rx="8" fill="none" stroke="#888888aa"/>'
_PREVIEW = "".join(
    (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 940 330">',
        _FRAME.format(y=0, height=88),
        _bar(16, 16, 250, 18, _GREY),
        _bar(16, 46, 340, 8, _GREY),
        _bar(16, 64, 300, 8, _GREY),
        *(_bar(520, 12 + 14 * slot, 90, 6, _GREY) for slot in range(MAX_SELECTED)),
        *(_bar(640, 12 + 14 * slot, 20 + 50 * slot, 6, RUN_COLORS[slot]) for slot in range(MAX_SELECTED)),
        _FRAME.format(y=100, height=229),
        *(_curve(slot) for slot in range(MAX_SELECTED)),
        "</svg>",
    )
)
"""The verdict with its ranking and the curves, as pale shapes."""


def failed_runs(comparison: Comparison) -> None:
    """Name the runs whose metrics could not be read, and each reason once; the others are compared all the same."""
    failed = refreshing.by_reason((each, each.error) for each in comparison.runs if each.error)
    for error, runs in failed:
        is_said = refreshing.is_said(error, comparison)
        why = f", {messages.ABOVE}" if is_said else ""
        unread, partly = ([each for each in runs if (each.data is None) is none] for none in (True, False))
        if unread:
            by = "it is compared by its summary" if len(unread) == 1 else "they are compared by their summaries"
            st.markdown(f"The metrics of {_named(unread)} could not be read{why}; {by}.")
        if partly:
            st.markdown(f"The metrics of {_named(partly)} are incomplete{why}.")
        if not is_said:
            messages.error_panel(error, retry=runs[0].run.run_id)
    for each in comparison.runs:
        if not each.error and each.data is not None and not each.data.curves.curves:
            hidden = deployment.settings().supabase is not None and not is_uploaded(each.run.run_id)
            st.info(f"{md(each.label)} has logged no metrics" + (_HIDDEN if hidden else "."), icon=":material/inbox:")


def _named(runs: Sequence[ComparedRun]) -> str:
    return listed([f"**{md(each.label)}**" for each in runs])
