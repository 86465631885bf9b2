"""From which files the runs were read, and which of their metrics as ours: shown, and changed for the session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from html import escape

import streamlit as st

from lib.core.answers.read_as import NamedMetric, ReadFrom, read_from
from lib.core.facts.foreign import legible
from lib.core.facts.metrics import metric_of
from lib.core.text.formatting import shorten_middle
from lib.core.text.labels import brief_labels, short_labels
from lib.core.text.phrases import counted, in_sentence
from lib.ui.frame.escape import md
from lib.ui.session import link, url
from lib.ui.session.comparison import Comparison
from lib.ui.session.read_as import OFFERED, Readable, readable, saying

AS_READ, OWN = "as read", ""
"""What a name can be beside one of our metrics: what it was taken for, and a metric of its own."""
MOST_GUESSES = 8
"""So many guesses can be changed one by one; a log with more has names that nobody knows, and few of them matter."""
NAME_LIMIT, LABEL_LIMIT = 60, 40


def has_readings(comparison: Comparison) -> bool:
    """Whether the source says from where the runs are, or some of their metrics can be read otherwise."""
    return bool(_told(comparison)) or any(_readable(comparison).guessed)


def read_as_body(comparison: Comparison) -> str:
    """What was read from where and as what, as HTML; "" where the source has nothing to say of it."""
    return comparison.computed("read as", (), lambda: "".join(_body(_told(comparison), comparison)))


def read_as_panel(comparison: Comparison) -> None:
    """What was read as what, with the choices that change it for this session. The link carries them."""
    may, told = _readable(comparison), _told(comparison)
    count = sum(each.is_guess for group in told for each in group.metrics)
    label = f"Read as ({counted(count, 'guess', 'guesses')})" if count else "Read as"
    with st.popover(label, type="tertiary"):
        st.html(read_as_body(comparison))
        for at, name in enumerate(list(may.guessed)[:MOST_GUESSES]):
            _guess(at, name, may.guessed[name])
        if may.further:
            for metric in OFFERED:
                _taken_for(metric, may)
        if url.value(link.READ_AS):
            st.button("Back to what was read", key="read_as:back", on_click=url.put, args=(link.READ_AS, ()))
        if may.guessed or may.further:
            st.caption("A choice holds for all selected runs that log the name. The link carries it.")


def _told(comparison: Comparison) -> tuple[ReadFrom, ...]:
    return comparison.computed("read from", (), lambda: read_from([each.run for each in comparison.runs]))


def _readable(comparison: Comparison) -> Readable:
    read = [each.data for each in comparison.runs if each.data is not None]
    return comparison.computed("readable", (), lambda: readable(read))


def _body(told: Sequence[ReadFrom], comparison: Comparison) -> Iterable[str]:
    labels = brief_labels(comparison.labels, LABEL_LIMIT)
    for group in told:
        every = len(group.run_ids) == len(comparison.runs) > 1
        whose = "All runs" if every else ", ".join(labels[run_id] for run_id in group.run_ids)
        formats = f", read from {group.formats}" if group.formats else ""
        yield f'<div class="read-as"><p><b>{escape(whose)}</b>{escape(formats)}</p>'
        if group.metrics:
            yield f"<p>{' · '.join(map(_metric, group.metrics))}</p>"
        else:
            yield '<p class="muted">No metric was called otherwise than here.</p>'
        files = [(labels[run_id], files) for run_id, files in zip(group.run_ids, group.files, strict=True) if files]
        if len(files) == 1:
            yield f'<p class="muted files">{escape(files[0][1])}</p>'
        elif files:
            listed = "".join(f"<li>{escape(label)}: {escape(each)}</li>" for label, each in files)
            yield f'<details class="muted files"><summary>Files</summary><ul>{listed}</ul></details>'
        yield "</div>"


def _metric(each: NamedMetric) -> str:
    guess = ' <span class="guess">guess</span>' if each.is_guess else ""
    return f'<span class="reading">{escape(each.name)} → {escape(each.metric)}{guess}</span>'


def _guess(at: int, name: str, metrics: Sequence[str]) -> None:
    """A name that was taken for one of our metrics by a guess."""
    said = dict(url.value(link.READ_AS))
    options = list(dict.fromkeys((AS_READ, *metrics, *OFFERED, *filter(None, (said.get(name),)), OWN)))
    guessed = " or ".join(in_sentence(metric_of(metric).title) for metric in metrics)

    def shown(option: str) -> str:
        if option == AS_READ:
            return f"{guessed}, as guessed"
        if option == OWN:
            return "none of these: its own name"
        sure = ", which is right" if option in metrics else ""
        return in_sentence(metric_of(option).title) + sure

    key = f"read_as:{at}"
    st.session_state[key] = said.get(name, AS_READ)
    called = md(shorten_middle(legible(name), NAME_LIMIT, NAME_LIMIT // 2))
    st.selectbox(f'"{called}" is', options, format_func=shown, key=key, on_change=partial(_take, key, name))


def _taken_for(metric: str, may: Readable) -> None:
    """One of our metrics, and which of those that are none of ours is to be it."""
    said = {read: name for name, read in url.value(link.READ_AS) if name in may.further}
    # The browser sends what it shows: no two may be called alike.
    called = short_labels({name: legible(name) for name in may.further}, NAME_LIMIT)
    key = f"read_as:{metric}"
    st.session_state[key] = said.get(metric, AS_READ)
    st.selectbox(
        f"Another metric is the {in_sentence(metric_of(metric).title)}",
        [AS_READ, *may.further],
        format_func=lambda name: "none" if name == AS_READ else called.get(name, name),
        key=key,
        on_change=partial(_take_for, key, metric, said.get(metric)),
    )


def _take(key: str, name: str) -> None:
    chosen = st.session_state[key]
    _say(name, None if chosen == AS_READ else chosen)


def _take_for(key: str, metric: str, before: str | None) -> None:
    chosen = st.session_state[key]
    if before is not None:
        _say(before, None)
    if chosen != AS_READ:
        _say(chosen, metric)


def _say(name: str, metric: str | None) -> None:
    """Let a name be read otherwise; what was chosen by that name before is that no more."""
    url.put(link.READ_AS, saying(url.value(link.READ_AS), name, metric))
    if metric:
        for param in (link.MORE_METRICS, link.COLUMNS):
            url.put(param, tuple(one for one in url.value(param) if one != name))
        if url.value(link.BY) == name:
            url.put(link.BY, "")
            url.put(link.DIRECTION, "")
