"""The page of the runs' health, as one piece of HTML: what was found in whom, and what could not be checked."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote, urlencode

import numpy as np
import streamlit as st

from lib.charts.palette import RUN_COLORS
from lib.charts.signs import sign
from lib.core.answers.health import HealthAnswer, Line, health_answer
from lib.core.checks.check import Group
from lib.core.checks.registry import CHECKS
from lib.core.curves.evidence import of_training
from lib.core.curves.metric_curves import MetricCurve
from lib.core.facts.findings import Severity
from lib.core.text.log_units import unit_of
from lib.core.text.phrases import counted, in_sentence
from lib.core.text.precision import together
from lib.core.verdict.assessment import Assessment
from lib.ui.frame.run_names import Named, named_runs, shared_words
from lib.ui.panels.read_as import read_as_body
from lib.ui.session import link, url
from lib.ui.session.assessments import assessment_of, common_spikes_of, shipped_assessments
from lib.ui.session.comparison import ComparedRun, Comparison

NAMED_CHECKS = 8
"""So many of the checks that found nothing are named at once."""
AREAS = {Group.HEALTH: "health", Group.STABILITY: "health", Group.DATA: "data"}

SPARK = (150, 30)
"""Width and height of an eval loss in small, in pixels."""
SPARK_POINTS = 60
HIGHEST_SHOWN = 97.0
"""Percentile above which a small curve is cut: its start dwarfs the rest."""


def run_health(comparison: Comparison) -> None:
    """Draw the page."""
    # It holds links, which carry all that is chosen.
    st.html(comparison.computed("health page", (comparison.how, url.state()), lambda: _page(comparison)))


def _page(comparison: Comparison) -> str:
    named, start = named_runs(comparison)
    runs = comparison.runs
    names = {each.run_id: each.brief for each in named}
    silent = [each.run.run_id for each in runs if each.data is not None and not each.data.curves.curves]
    assessed = {each.run_id: assessment_of(each.each, runs) for each in named}
    answer = health_answer(assessed, names, comparison.decision.recommended, common_spikes_of(runs), silent)
    return _found(answer, named, start) + _rest(answer, read_as_body(comparison)) + _closer(comparison, answer, named)


def _found(answer: HealthAnswer, named: Sequence[Named], start: str) -> str:
    rows = "".join(_row(each, answer) for each in named)
    right = f'<span class="right">{counted(answer.events, "finding")}</span>' if answer.events else ""
    foot = [*map(escape, answer.common), shared_words(start, named)]
    said = " · ".join(filter(None, foot))
    foot_line = f'<p class="foot">{said}</p>' if said else ""
    return (
        f'<section class="card"><header><h2>{escape(answer.headline)}</h2>{right}</header>'
        '<table class="stacks health"><colgroup><col style="width:23%"><col><col style="width:27%"></colgroup>'
        '<thead><tr><th scope="col">Run</th><th scope="col">Found</th>'
        f'<th scope="col">Eval loss, its lowest marked, and its end</th></tr></thead><tbody>{rows}</tbody></table>'
        f"{foot_line}</section>"
    )


def _row(named: Named, answer: HealthAnswer) -> str:
    each = named.each
    lines = answer.lines.get(named.run_id)
    if lines is None:
        found = '<span class="muted">Its metrics could not be read, so nothing could be checked.</span>'
    elif each.data is not None and not each.data.curves.curves:
        found = '<span class="muted">It logged no metrics.</span>' + _lines(lines, each)
    elif lines:
        found = _lines(lines, each)
    else:
        found = '<span class="muted">Nothing found.</span>'
    spark = "" if each.data is None else _spark(each.data.curves.get("eval_loss"), each)
    return (
        f'<tr data-run="{each.slot}"{" class=recommended" if named.is_recommended else ""}>'
        f'<th scope="row" class="run" title="{escape(each.label)}"><span class="head-of">{named.html}</span></th>'
        f"<td>{found}</td><td>{spark}</td></tr>"
    )


def _lines(lines: Sequence[Line], each: ComparedRun) -> str:
    unit = unit_of(each.run)
    return "".join(f'<div class="found">{_sign(line, each.slot)}<div>{_line(line, unit)}</div></div>' for line in lines)


def _sign(line: Line, slot: int) -> str:
    """The sign of a finding; what is harmless has none that would call for a look."""
    return "<i></i>" if line.is_note else sign(line.code, slot)


def _line(line: Line, unit: str) -> str:
    critical = '<span class="critical">critical</span>' if line.severity is Severity.CRITICAL else ""
    text = escape(line.text) if line.is_serious else f'<span class="muted">{escape(line.text)}</span>'
    if not line.each:
        return critical + text + _to_chart(line.places[0] if line.places else None, unit)
    listed = "".join(
        f"<li>{escape(sentence)}{_to_chart(place, unit)}</li>"
        for sentence, place in zip(line.each, line.places, strict=True)
    )
    more = f"<li>And {line.unlisted:,} smaller ones.</li>" if line.unlisted else ""
    return f"<details><summary>{critical}{text}</summary><ul>{listed}{more}</ul></details>"


def _to_chart(place: tuple[int, str] | None, unit: str) -> str:
    """A link to a finding's place in the charts (``static/frame.js``), which works in a tab of its own too."""
    if place is None:
        return ""
    step, metric = place
    shown = url.state().having(link.AXIS, link.AXIS.default).having(link.ZOOM, None).having(link.PIN, float(step))
    return (
        f' <a class="to-chart" href="./?{escape(urlencode(shown.texts, doseq=True))}" data-step="{step}"'
        f' data-metric="{escape(metric)}" title="{unit.capitalize()} {step:,} in the charts">show</a>'
    )


def _spark(evaluations: MetricCurve, each: ComparedRun) -> str:
    """The eval loss of a run in small: what it shows is told by the text beside it."""
    known = of_training(evaluations.finite())
    if not len(known):
        return '<span class="muted">No eval loss.</span>'
    width, height = SPARK
    lowest, last = int(known.value.argmin()), float(known.value[-1])
    chosen = np.unique(np.append(np.linspace(0, len(known) - 1, SPARK_POINTS).astype(int), lowest))
    steps, values = known.step[chosen].astype(float), known.value[chosen]
    low, high = float(values.min()), float(np.percentile(values, HIGHEST_SHOWN))
    x = (steps - steps[0]) / max(float(steps[-1] - steps[0]), 1.0) * width
    y = height - (np.minimum(values, high) - low) / max(high - low, 1e-12) * height
    path = "L".join(f"{one:.1f} {other:.1f}" for one, other in zip(x, y, strict=True))
    at = int(np.flatnonzero(chosen == lowest)[0])
    lowest_shown, last_shown = together([float(known.value[lowest]), last])
    said = f"Lowest eval loss {lowest_shown} at {unit_of(each.run)} {known.step[lowest]:,}, {last_shown} at the end"
    color = RUN_COLORS[each.slot]
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 {width + 8} {height + 8}">'
        f'<path d="M{path}" fill="none" stroke="{color}" stroke-width="1.6" stroke-linejoin="round"/>'
        f'<circle cx="{x[at]:.1f}" cy="{y[at]:.1f}" r="4" fill="{color}"/></svg>'
    )
    return (
        f'<div class="spark"><img width="{width + 8}" height="{height + 8}" alt="{said}" title="{said}"'
        f' src="data:image/svg+xml,{quote(picture)}"><span>{last_shown}</span></div>'
    )


def _rest(answer: HealthAnswer, readings: str) -> str:
    lines = []
    if answer.checks:
        shown = ", ".join(in_sentence(title) for title in answer.fine[:NAMED_CHECKS])
        more = len(answer.fine) - NAMED_CHECKS
        every = ""
        if more > 0:
            areas = {check.title: AREAS[check.group] for check in CHECKS}
            listed = "".join(
                f"<li>{escape(title)} <span class=muted>{areas[title]}</span></li>" for title in answer.fine
            )
            every = f"<details><summary>and {more} more</summary><ul>{listed}</ul></details>"
        where = " in every run" if len(answer.lines) > 1 else ""
        said = f"{len(answer.fine)} of {answer.checks} checks{where}: {escape(shown)}"
        lines.append(("Checked and fine", f"<p>{said}{'' if every else '.'}</p>{every}"))
    if answer.untold:
        reasons = "".join(f"<p><b>{escape(why)}</b>: {escape(what)}.</p>" for why, what in answer.untold)
        lines.append(("Could not be checked", reasons))
    notes = "".join(f'<p class="muted">{escape(note)}</p>' for note in answer.notes)
    lines.append(("Data checks", f"<p>{escape(answer.data)}</p>{notes}"))
    if readings:
        lines.append(("Read as", readings))
    body = "".join(f"<dt>{title}</dt><dd>{said}</dd>" for title, said in lines)
    return f'<section class="card" aria-label="Checks"><dl class="lines">{body}</dl></section>'


def _closer(comparison: Comparison, answer: HealthAnswer, named: Sequence[Named]) -> str:
    """What the numbers say of each run: gap, rebound, slope, steadiness."""
    shipped = shipped_assessments(comparison)
    told = [(each, assessment) for each in named if (assessment := shipped[each.run_id]) is not None]
    if not told:
        return ""
    body = "".join(
        f'<div data-run="{each.each.slot}"><h3><span class="head-of">{each.html}</span></h3>'
        f"<ul>{''.join(f'<li>{escape(sentence)}</li>' for sentence in _sentences(assessment, answer, each))}</ul></div>"
        for each, assessment in told
    )
    return (
        '<section class="card" aria-label="Numbers"><details><summary><h3>Gap, rebound, slope and steadiness</h3>'
        f'<span class="beside">in numbers, run by run</span></summary><div class="in">{body}</div></details></section>'
    )


def _sentences(assessment: Assessment, answer: HealthAnswer, named: Named) -> list[str]:
    """What is not among the findings already."""
    said = {line.text for line in answer.lines.get(named.run_id, ())} | {
        sentence for line in answer.lines.get(named.run_id, ()) for sentence in line.each
    }
    variation, spikes = assessment.stability.variation, assessment.stability.spikes
    steady = [
        f"Near the end the train loss varies by {variation:.1%} of its mean." if variation is not None else "",
        f"Spikes of the gradient norm: {spikes:,}." if spikes is not None else "",
    ]
    return [sentence for sentence in (*assessment.overfitting.sentences, *steady) if sentence and sentence not in said]
