"""A comparison as one HTML file: it opens from a mail, needs no network and no server, and prints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from html import escape
from typing import Any

from lib.charts.theme import themed
from lib.core.answers.grouped import grouped
from lib.core.answers.settings import settings_answer
from lib.core.baseline.ranking import ToBaseline
from lib.core.config.diff import DiffRow
from lib.core.facts.limits import shown
from lib.core.text.phrases import counted
from lib.core.text.sentences import Sentence, Strong
from lib.core.verdict.limits import LIMITS
from lib.report.charts import Drawn, charts, quality_against_cost
from lib.report.compared import Compared
from lib.report.markdown import credit, settings_rows, web_address
from lib.report.style import style

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:;"
    " base-uri 'none'; form-action 'none'"
)
"""The page fetches nothing and sends nothing. Vega makes functions of its specifications, which are the app's own."""


def page(compared: Compared, link: str = "", made: str = "") -> str:
    """The report.

    Args:
        compared: What was compared.
        link: Opens the comparison; "" for none.
        made: When and from what it was made, as a sentence; "" for nothing.
    """
    drawn = list(charts(compared))
    bought = list(quality_against_cost(compared))
    body = "".join(
        (
            _verdict(compared),
            _objections(compared),
            _charts(compared, drawn),
            _budgets(compared, bought, len(drawn)),
            *_settings(compared),
            _health(compared),
            _rule(compared),
            _foot(link, made),
        )
    )
    title = escape(f"Comparison of {counted(len(compared.runs), 'run')}")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{style()}</style></head><body><main>{body}</main>"
        f"{_scripts([each for _, each, _ in (*drawn, *bought)]) if drawn or bought else ''}</body></html>"
    )


def made_now() -> str:
    """When and by what a report is made."""
    return f"Made on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC by Runoff"


def _verdict(compared: Compared) -> str:
    glance = compared.glance
    names = ", ".join(_named(compared, run_id) for run_id in glance.run_ids)
    badge = f'<b class="badge {glance.badge.level}">{escape(glance.badge.text)}</b> {escape(glance.badge.because)}'
    lines = [(line.title, _sentence(line.said)) for line in glance.lines]
    if glance.checkpoint:
        lines.insert(0, ("Checkpoint", escape(glance.checkpoint)))
    said = "".join(f"<dt>{escape(title)}</dt><dd>{text}</dd>" for title, text in lines)
    ranking, beside = glance.ranking, compared.beside
    # How far a ranked run is behind is said once; what no run has needs no column.
    told = [row.why if row.behind is None else "" for row in ranking.rows]
    columns = [
        ("Run", [_named(compared, row.run_id) for row in ranking.rows]),
        (escape(ranking.title or "Best"), [escape(row.value) for row in ranking.rows]),
        ("Own metric", [escape(row.metric) for row in ranking.rows]),
        ("Behind the best", [escape(row.distance) for row in ranking.rows]),
        *([(escape(beside.title), [_less(beside.runs[row.run_id]) for row in ranking.rows])] if beside else []),
        ("Gap at best", [escape(row.gap) for row in ranking.rows]),
        ("", [escape(row.mark) for row in ranking.rows]),
        ("", [*map(escape, told)]),
    ]
    heads, cells = zip(*(column for column in columns if any(column[1])), strict=True)
    rows = list(zip(*cells, strict=True))
    told_beside = beside.lines if beside else ()
    overview = compared.overview
    about = " ".join(filter(None, (ranking.note_apart, *told_beside, overview.rests_on, overview.decided_by)))
    note = f"<p>{escape(about)}</p>" if about else ""
    return (
        f"<section><h1>{escape(glance.verb)} {names}</h1><p>{badge}</p><dl>{said}</dl></section>"
        f"<section><h2>Ranking</h2>{_table(heads, rows, stacks=True)}{note}</section>"
    )


def _less(found: ToBaseline) -> str:
    return f'<span class="{found.sense}">{escape(found.words)}</span>'


def _objections(compared: Compared) -> str:
    said = "".join(f"<li>{escape(each.sentence)}</li>" for each in compared.overview.objections)
    left = "".join(
        f"<li>{escape(compared.labels[run_id])} is left out: {escape(why)}.</li>"
        for run_id, why in compared.overview.grounds.left_out.items()
    )
    if not said and not left:
        said = "<li>Nothing was found.</li>"
    return f"<section><h2>What speaks against it</h2><ul>{said}{left}</ul></section>"


def _charts(compared: Compared, drawn: Sequence[Drawn]) -> str:
    figures = _figures(drawn)
    runs = "".join(f"<span>{_named(compared, run.run_id)}</span>" for run in compared.runs)
    key = "Strong with marks: evaluations, the largest at the best. Pale: logged while training."
    hint = '<span class="screen">Point at a value to read it; scroll or drag in a chart to zoom it.</span>'
    legend = f'<p class="legend">{runs}</p><p class="muted">{key} {hint}</p>'
    return f"<section><h2>Curves</h2>{legend}{figures}</section>" if drawn else ""


def _figures(drawn: Sequence[Drawn], first: int = 0) -> str:
    return "".join(
        f'<figure><figcaption>{escape(title)} <span class="muted">{escape(said)}</span></figcaption>'
        f'<div class="chart" id="chart-{at}"></div></figure>'
        for at, (title, _, said) in enumerate(drawn, first)
    )


def _budgets(compared: Compared, drawn: Sequence[Drawn], first: int) -> str:
    lines = "".join(f"<dt>{escape(title)}</dt><dd>{escape(said)}</dd>" for title, said in compared.budgets)
    figures = _figures(drawn, first)
    return f"<section><h2>At equal budgets</h2><dl>{lines}</dl>{figures}</section>" if lines else ""


def _settings(compared: Compared) -> Iterator[str]:
    rows = settings_rows(compared)
    if not rows:
        return
    answer = settings_answer(rows, len(compared.runs))
    if len(compared.runs) > 1:
        table = _table(_heads(compared), [_cells(row) for row in answer.different]) if answer.different else ""
        yield f"<section><h2>{escape(answer.headline)}</h2>{table}</section>"
        found = credit(compared, rows)
        if found is not None:
            lines = "".join(f"<dt>{escape(each.what)}</dt><dd>{escape(each.sentence)}</dd>" for each in found.lines)
            said = f"<p>{escape(' '.join(filter(None, (found.further, found.aside))))}</p>"
            yield f"<section><h2>{escape(found.headline)}</h2><dl>{lines}</dl>{said}</section>"
    same = [_cells(row) for row in answer.same]
    if same:
        title = "Settings" if len(compared.runs) == 1 else "The same in all runs"
        yield (
            f"<section><details><summary><h2>{title}</h2> {len(same)}</summary>"
            f"{_table(_heads(compared), same)}</details></section>"
        )


def _heads(compared: Compared) -> list[str]:
    return ["Setting", *(_named(compared, run.run_id) for run in compared.runs)]


def _cells(row: DiffRow) -> list[str]:
    return [escape(row.title), *map(escape, row.shown)]


def _health(compared: Compared) -> str:
    said = ""
    for run in compared.runs:
        found = grouped(compared.assessed[run.run_id].checks, run)
        lines = "".join(f"<li>{escape(severity.value)}: {escape(sentence)}</li>" for severity, sentence in found)
        notes = "".join(f"<li>{escape(note)}</li>" for note in run.notes)
        said += (
            f'<dt>{_named(compared, run.run_id)} <span class="muted">{escape(run.status_text)}</span></dt>'
            f"<dd><ul>{lines}{notes}</ul>{'' if lines or notes else 'Nothing was found.'}</dd>"
        )
    return f"<section><h2>Run health</h2><dl>{said}</dl></section>"


def _rule(compared: Compared) -> str:
    policy = compared.policy
    bands = "; ".join(
        f"below {band.below:g}: {band.points:g}" if band.below < float("inf") else f"else: {band.points:g}"
        for band in policy.bands
    )
    rule = (
        f"Score = {policy.eval_weight:.2f} × eval-loss points + {policy.gap_weight:.2f} × gap points. Eval-loss points"
        f" = 100 × ((lowest eval loss + {policy.loss_offset:g}) ÷ (eval loss + {policy.loss_offset:g}))"
        f"^{policy.loss_power}. Gap points by the gap, {bands}; unknown: {policy.unknown_band.points:g}."
    )
    limits = "".join(
        f"<h3>{escape(heading)}</h3>"
        + _table(("Limit", "Value", "Why"), [tuple(map(escape, (each.title, shown(each), each.reason))) for each in of])
        for heading, of in LIMITS.items()
    )
    return (
        f"<section><details><summary><h2>The rule and its constants</h2></summary><p>{escape(rule)}</p>{limits}"
        "</details></section>"
    )


def _foot(link: str, made: str) -> str:
    address = web_address(link)
    opens = f'<a href="{escape(address)}" rel="noreferrer">Open the comparison</a>' if address else ""
    return f'<footer class="muted">{" · ".join(filter(None, (escape(made), opens)))}</footer>'


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, stacks: bool = False) -> str:
    """A table of cells that are HTML.

    Args:
        heads: Of the columns; HTML too, but escaped text alone where it stacks.
        rows: The cells.
        stacks: In a narrow window each row is a block. Else it scrolls there, with a shadow where there is more.
    """
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    named = [f' data-head="{each}"' if stacks else "" for each in heads]
    body = "".join(
        f"<tr>{''.join(f'<td{name}>{cell}</td>' for name, cell in zip(named, row, strict=True))}</tr>" for row in rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="stacks">{table}</div>' if stacks else f'<div class="scrolls" tabindex="0">{table}</div>'


def _named(compared: Compared, run_id: str) -> str:
    return f'<i class="mark slot-{compared.slots[run_id]}"></i>{escape(compared.labels[run_id])}'


def _sentence(said: Sentence) -> str:
    return "".join(f"<b>{escape(part)}</b>" if isinstance(part, Strong) else escape(part) for part in said)


def _scripts(specifications: Sequence[dict[str, Any]]) -> str:
    themes = [themed(is_dark=is_dark) for is_dark in (False, True)]
    return (
        f"<script>{_vega()}</script>"
        f'<script type="application/json" id="charts">{_json([specifications, themes])}</script>'
        f"<script>{_DRAW}</script>"
    )


_DRAW = """
const [specs, themes] = JSON.parse(document.getElementById('charts').textContent);
const dark = matchMedia('(prefers-color-scheme: dark)'), paper = matchMedia('print');
const draw = () => specs.forEach((spec, at) => vegaEmbed(`#chart-${at}`, spec, {
  actions: false, renderer: 'svg', config: themes[dark.matches && !paper.matches ? 1 : 0],
}));
dark.addEventListener('change', draw);
paper.addEventListener('change', draw);
draw();
"""


@cache
def _vega() -> str:
    """Vega, Vega-Lite and what embeds them, as one script: part of what draws the charts' pictures."""
    # Imported where it is used: it takes a while, and most visits make no report.
    import vl_convert

    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").replace("</script", "<\\/script")


def _json(value: Any) -> str:
    """JSON that can stand in a script: nothing in it ends that, and nothing in it is no JSON."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
