"""The selection panel: search, filter, sort, and a list of run cards, each with a check box."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from lib.core.facts.liveness import is_stalled
from lib.core.facts.query import PAGE_SIZE, RunPage, RunSort
from lib.core.facts.runs import RunStatus, RunSummary, eval_loss_of
from lib.core.facts.selection import LIMIT_REACHED, MAX_SELECTED, selected_text, toggle
from lib.core.text import formatting
from lib.core.verdict.metric_words import metric_words
from lib.data.source import RunSource
from lib.ui.frame import empty, messages
from lib.ui.frame.escape import md
from lib.ui.session import link, reads, url
from lib.ui.session.comparison import Comparison

LIST_HEIGHT = 560
"""In pixels; the page's style lets the list grow with the window."""
ALL = "all"
STATUS_BADGES = {
    RunStatus.COMPLETED: ("green", ":material/check_circle:"),
    RunStatus.RUNNING: ("blue", ":material/play_circle:"),
    RunStatus.QUEUED: ("gray", ":material/schedule:"),
    RunStatus.PAUSED: ("orange", ":material/pause_circle:"),
    RunStatus.FAILED: ("red", ":material/error:"),
    RunStatus.CANCELLED: ("gray", ":material/cancel:"),
    RunStatus.UNKNOWN: ("violet", ":material/help:"),
}


def run_picker(source: RunSource, compared: Comparison) -> None:
    """Draw the panel; each change of a check box is taken before the page runs again."""
    selected = url.value(link.RUNS)
    # One line on a telephone too, where columns would stand one below the other.
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{selected_text(selected)}**", width="stretch")
        st.button("Clear", key="clear", disabled=not selected, on_click=url.put, args=(link.RUNS, ()), type="tertiary")
        st.button(
            "",
            key="refresh",
            icon=":material/refresh:",
            help="Read the runs again",
            on_click=reads.refresh,
            type="tertiary",
        )
    st.text_input(
        "Search runs",
        type="search",
        live="300ms",
        placeholder="Search name, dataset, base model, id",
        label_visibility="collapsed",
        **url.widget(link.SEARCH),
    )
    page = reads.list_runs(source, url.query())
    _filters(page)
    if len(selected) >= MAX_SELECTED:
        st.caption(f":material/info: {LIMIT_REACHED}")
    _cards(source, page, compared)
    messages.unreadable_list(page.unreadable)


def _filters(page: RunPage) -> None:
    """Status filter, with every status that occurs and the counts, and the order of the list."""
    always = [RunStatus.COMPLETED, RunStatus.RUNNING, RunStatus.FAILED]
    uncounted = not page.statuses and page.total > 0
    chosen = url.value(link.STATUS)
    others = [s for s in RunStatus if s not in always and (uncounted or page.statuses.get(s) or s is chosen)]
    status, sort = st.columns(2, gap="xsmall")
    status.selectbox(
        "Status",
        [ALL, *always, *others],
        format_func=lambda status: _counted(page, status),
        **url.widget(link.STATUS, chosen or ALL, adopt=lambda s: None if s == ALL else RunStatus(s)),
    )
    sort.selectbox("Sort by", list(RunSort), format_func=lambda each: each.value, **url.widget(link.SORT))


def _counted(page: RunPage, status: RunStatus | str) -> str:
    """A status with the number of its runs, where the source has counted them."""
    if not page.statuses and page.total:
        return str(status)
    return f"{status} ({sum(page.statuses.values()) if status == ALL else page.statuses.get(RunStatus(status), 0)})"


def _cards(source: RunSource, page: RunPage, compared: Comparison) -> None:
    if not page.source_total:
        empty.no_runs("This source has no runs yet. As soon as one is there, it is listed here.")
        return
    if not page.runs:
        st.info("No run matches the search and the filter.", icon=":material/search_off:")
        return
    hidden = page.total - len(page.runs)
    shown = f"{formatting.count(page.total)} {'run' if page.total == 1 else 'runs'}"
    if hidden:
        shown = f"First {formatting.count(len(page.runs))} of {shown}"
    elif page.total < page.source_total:
        shown += f" of {formatting.count(page.source_total)}"
    st.caption(shown)
    # A selected run is called here what it is called in the charts.
    labels = reads.list_labels(source, url.query()) | dict(compared.labels)
    now = datetime.now(UTC)
    with st.container(height=LIST_HEIGHT, border=False, gap="xsmall", key="run_cards"):
        for position, run in enumerate(page.runs):
            # The demo's clock stands still: its running run has no need to report.
            stalled = not source.synthetic and is_stalled(run, now)
            _card(run, labels[run.run_id], position, compared, now, stalled=stalled)
        if hidden:
            st.button(
                f"Show {min(hidden, PAGE_SIZE)} more",
                key="more",
                on_click=lambda: url.put(link.LIMIT, url.value(link.LIMIT) + PAGE_SIZE),
                width="stretch",
            )
    _paint(page, compared)


def _card(run: RunSummary, label: str, position: int, compared: Comparison, now: datetime, *, stalled: bool) -> None:
    selected = url.value(link.RUNS)
    on = run.run_id in selected
    # What the charts and the table say of a selected run, the card says too.
    run = next((each.run for each in compared.runs if each.run.run_id == run.run_id), run)
    key = f"pick:{run.run_id}"
    st.session_state[key] = on
    with st.container(border=True, gap="xxsmall", key=f"card_{position}"):
        st.checkbox(
            md(label),
            key=key,
            help=_details(run, compared),
            disabled=not on and len(selected) >= MAX_SELECTED,
            on_change=_take,
            args=(key, run.run_id),
        )
        st.markdown(
            _facts(run, _value(run, compared, on=on), compared.recommendation.run_id == run.run_id, stalled, now)
        )


def _take(key: str, run_id: str) -> None:
    selected = url.value(link.RUNS)
    url.put(link.RUNS, toggle(selected, run_id, st.session_state[key]))


def _value(run: RunSummary, compared: Comparison, *, on: bool) -> str:
    """What a run is compared by: of a selected one the value of what decides, else the stored eval loss."""
    values = compared.decision.values.get(run.run_id) if on else None
    if values is not None:
        words = formatting.shorten(metric_words(compared.decision.deciding_of(run.run_id).metric), 26)
        return f"{md(words)} **{formatting.loss(values.value)}**"
    loss = eval_loss_of(run)
    return f"eval loss **{formatting.loss(loss)}**" if loss is not None else "no eval loss"


def _facts(run: RunSummary, value: str, recommended: bool, stalled: bool, now: datetime) -> str:
    color, icon = STATUS_BADGES[run.status]
    badge = f":{color}-badge[{icon} {md(run.status_text)}]"
    if stalled:
        badge += " :orange-badge[:material/hourglass_disabled: stalled]"
    if recommended:
        badge += " :orange-badge[:material/star: recommended]"
    badge += f" {value}"
    facts = []
    if run.created_at or run.started_at:
        facts.append(formatting.relative_date(run.created_at or run.started_at, now))
    if run.duration_s is not None:
        time = formatting.duration(run.duration_s)
        facts.append(f"running for {time}" if run.status is RunStatus.RUNNING else time)
    if run.status is RunStatus.RUNNING and run.progress is not None:
        facts.append(f"{formatting.percent(run.progress)} done")
    if run.dataset_name:
        facts.append(md(formatting.shorten(run.dataset_name, 26)))
    return f":small[{badge}]  \n:small[:gray[{' · '.join(facts)}]]"


def _details(run: RunSummary, compared: Comparison) -> str:
    """The tooltip of a card: what is cut or rounded on it, in full, and why it is recommended."""
    lines = [
        ("Name", run.name),
        ("Created", formatting.exact_date(run.created_at) if run.created_at else None),
        ("Finished", formatting.exact_date(run.completed_at) if run.completed_at else None),
        ("Dataset", run.dataset),
        ("Base model", run.base_model),
        ("Error", run.error_message),
        ("Run id", run.run_id),
    ]
    text = [f"**{title}:** {md(value)}" for title, value in lines if value]
    if run.run_id == compared.recommendation.run_id:
        text.append(f"**Recommended:** {md(compared.grounds.why_first)}")
    return "  \n".join(text + [md(note) for note in run.notes])


def _paint(page: RunPage, compared: Comparison) -> None:
    """Give the card of each selected run the run's colour."""
    rules = [
        f".st-key-card_{position} {{ border-left: 6px solid {compared.colors[run.run_id]}; }}"
        for position, run in enumerate(page.runs)
        if run.run_id in compared.colors
    ]
    st.html(f"<style>{' '.join(rules)}</style>")
