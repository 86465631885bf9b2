"""What is shown and could not be refreshed: since when it is, and why; it is tried again until it comes, by itself."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from lib.core.facts.errors import AppError, SourceUnavailable
from lib.core.text import formatting
from lib.core.text.phrases import listed
from lib.data.source import RunSource
from lib.ui.frame import error_ids
from lib.ui.frame.escape import md
from lib.ui.session import link, reads, url
from lib.ui.session.comparison import Comparison
from lib.ui.session.kept import Outdated

T = TypeVar("T")
Reason = tuple[str, str]
"""The sentence of an error, and what is to be done: several reads that fail say the same."""

LOOK_EVERY_S = 2.0
"""A page that waits for something looks so often whether it has come; it is asked for in a thread beside."""
SAT_THROUGH_S = 60.0
"""When a page tries again is said where that is later, in seconds."""
MOST_NAMED = 5
"""What is named that is not fresh: the list, the runs, and curves of three; of more, their number."""

_SOURCE, _TURN, _JUST_DRAWN = "refreshing:source", "refreshing:turn", "refreshing:drawn"
_WAITS_YET = "refreshing:waits yet"


def begin() -> None:
    """A page begins to read."""
    st.session_state.pop(_SOURCE, None)
    st.session_state.pop(_TURN, None)
    st.session_state[_WAITS_YET] = True


def reads_from(source: RunSource) -> None:
    """The page reads from here, from now on."""
    st.session_state[_SOURCE] = source
    # What is read well from here on is on the page already.
    st.session_state.setdefault(_TURN, reads.failures().turn(_readers(source)))


def refresh() -> None:
    """Read anew what this session looks at; all of it stays until it was read. What others look at is left alone."""
    source: RunSource | None = st.session_state.get(_SOURCE)
    if source is not None:
        reads.refresh(source, url.value(link.RUNS), url.query())


def is_waiting(source: RunSource) -> bool:
    """Whether something that was asked for of late could not be read, and is tried again."""
    return reads.failures().any_of(reads.readers_of(source), time.monotonic())


def said(source: RunSource, compared: Comparison) -> None:
    """Say what could not be refreshed, and run the page again when it came. Draws nothing where all is fresh."""
    parts = _outdated(source, compared)
    if parts:
        with st.container(key="outdated", horizontal=True, vertical_alignment="center", gap="small"):
            is_all = len(parts) == 2 + len(compared.runs)
            reasons = by_reason(((name, outdated), outdated.error) for name, outdated in parts)
            sentences = " ".join(_sentences(reasons, is_all=is_all))
            ids = error_ids.shown(*(error for error, _ in reasons))
            st.markdown(f":material/cloud_off: {sentences} {_by_itself(*(error for error, _ in reasons))} {ids}")
            st.button(TRY_NOW, key="refresh_now", type="tertiary", on_click=refresh)
    wait()


def is_said(error: AppError, compared: Comparison) -> bool:
    """Whether the page says this reason above its content already (``said``)."""
    source: RunSource | None = st.session_state.get(_SOURCE)
    if source is None:
        return False
    return any(_reason(outdated.error) == _reason(error) for _, outdated in _outdated(source, compared))


def by_reason(failed: Iterable[tuple[T, AppError]]) -> list[tuple[AppError, list[T]]]:
    """What failed for one reason together, under the first of its errors."""
    found: dict[Reason, tuple[AppError, list[T]]] = {}
    for what, error in failed:
        found.setdefault(_reason(error), (error, []))[1].append(what)
    return list(found.values())


def is_tried_again(error: AppError) -> bool:
    """Whether the page tries by itself until what failed so is read."""
    return isinstance(error, SourceUnavailable) and reads.failures().rest_s(error) is not None


def to_do(error: AppError) -> str:
    """What is to be done about an error; of trying again, only who does it."""
    return " ".join(filter(None, (error.besides, _by_itself(error)))) if is_tried_again(error) else error.hint


def wait() -> None:
    """Run the page again when something came that could not be read; nothing where all was."""
    st.session_state[_WAITS_YET] = False
    source: RunSource | None = st.session_state.get(_SOURCE)
    # What came while the page was drawn may stand on it as it was before, and nothing waits for it any more.
    if source is None:
        return
    readers = reads.readers_of(source)
    if not (is_waiting(source) or reads.failures().turn(readers[-1:]) != st.session_state[_TURN]):
        return
    st.session_state[_JUST_DRAWN] = True
    st.fragment(_look, run_every=LOOK_EVERY_S)(readers, st.session_state[_TURN], time.monotonic())


def wait_beside() -> None:
    """The same for a fragment: what fails when it runs by itself is not waited for by its page, which is drawn."""
    if not st.session_state.get(_WAITS_YET, False):
        wait()


def clock(moment: datetime) -> str:
    """The time of day where the reader is."""
    zone, named = _zone()
    return f"{moment.astimezone(zone):%H:%M:%S}{named}"


TRY_NOW = "Try now"


def _reason(error: AppError) -> Reason:
    return str(error), error.hint


def _by_itself(*errors: AppError) -> str:
    """That the page tries again; and when, where a source asked for a time that nobody sits through."""
    rest = max((reads.failures().rest_s(error) or 0.0 for error in errors), default=0.0)
    when = f" at {_moment(datetime.now(UTC) + timedelta(seconds=rest))}" if rest > SAT_THROUGH_S else ""
    return f"This page tries again by itself{when}."


def _look(readers: Sequence[str], turn: int, drawn_at: float) -> None:
    if st.session_state.pop(_JUST_DRAWN, False):
        return
    if reads.failures().came(readers[-1:], turn):
        st.rerun()
    reads.failures().retry(readers, drawn_at)


def _readers(source: RunSource) -> tuple[str, ...]:
    """Who is waited for: an upload needs no waiting."""
    return reads.readers_of(source)[-1:]


def _outdated(source: RunSource, compared: Comparison) -> list[tuple[str, Outdated]]:
    """What is shown and not fresh, in words."""
    every_row = url.value(link.EVERY_ROW)
    outdated_list = reads.outdated_list(source, url.query())
    is_partial = outdated_list is not None and outdated_list.in_part
    known = ", which has only runs that were read before" if is_partial else ""
    found = [
        (f"the list of runs{known}", outdated_list),
        ("the selected runs", reads.outdated_runs(source, url.value(link.RUNS))),
    ]
    found += [
        (f"the curves of **{md(each.label)}**", reads.outdated_curves(source, each.run.run_id, every_row=every_row))
        for each in compared.runs
    ]
    return [(name, outdated) for name, outdated in found if outdated is not None and outdated.as_of is not None]


def _sentences(reasons: Sequence[tuple[AppError, Sequence[tuple[str, Outdated]]]], *, is_all: bool) -> list[str]:
    """One for each reason; the oldest moment counts. What is outdated need not be named where it is all."""
    found = []
    for error, own in reasons:
        since = min(each.as_of for _, each in own if each.as_of is not None)
        names = [name for name, _ in own]
        more = [f"{formatting.count(len(names) - MOST_NAMED)} more"] if len(names) > MOST_NAMED else []
        what = listed([*names[:MOST_NAMED], *more])
        named = "" if is_all and len(reasons) == 1 else f": {what}"
        found.append(
            f"**As of {_moment(since)}**, could not be refreshed{named}. {md(str(error))} {md(error.besides)}".rstrip()
        )
    return found


def _moment(since: datetime) -> str:
    """Time of day; with the date where that is not today's."""
    zone, named = _zone()
    there = since.astimezone(zone)
    is_today = there.date() == datetime.now(zone).date()
    return f"{there:%H:%M}{named}" if is_today else f"{there:%Y-%m-%d %H:%M}{named}"


def _zone() -> tuple[tzinfo, str]:
    """Where the reader is, and what is said beside a time: nothing; " UTC" where nobody knows where that is."""
    try:
        return ZoneInfo(st.context.timezone or ""), ""
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # A browser names zones that this machine does not know, such as Etc/Unknown.
        return UTC, " UTC"
