"""A comparison as Markdown: short, for a comment on a pull request, and whole, as a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import quote

from lib.core.answers.compared import compared as settings_of
from lib.core.answers.grouped import grouped
from lib.core.answers.settings import settings_answer
from lib.core.config.diff import DiffRow
from lib.core.config.report import escaped, markdown_table, to_markdown
from lib.core.credit.credit import credits_of
from lib.core.credit.words import CreditAnswer, credit_answer
from lib.core.text.sentences import plain
from lib.core.verdict.overview import HeadlineKind
from lib.report.compared import Compared

MOST_DIFFERENCES, MOST_OBJECTIONS = 12, 5
"""What a comment has room for."""
MARKER = "<!-- runoff -->"
"""By this a script finds its own comment, to replace it."""


def settings_rows(compared: Compared) -> tuple[DiffRow, ...]:
    """The comparison of the runs' settings."""
    rates = {run_id: curves.get("learning_rate") for run_id, curves in compared.curves.items()}
    return settings_of(compared.runs, rates)


def credit(compared: Compared, rows: Sequence[DiffRow]) -> CreditAnswer | None:
    """Which change the difference can be credited with."""
    order = [run.run_id for run in compared.runs]
    return credit_answer(credits_of(rows, order, compared.decision), compared.decision.deciding, compared.names, order)


def comment(compared: Compared, link: str = "") -> str:
    """The comparison for a comment on a pull request, in less than 60 lines of GitHub's Markdown.

    Args:
        compared: What was compared.
        link: Opens it; "" for none.
    """
    return "\n".join((MARKER, *_verdict(compared, 3), *_tables(compared, MOST_DIFFERENCES), *_end(link))) + "\n"


def report(compared: Compared, link: str = "") -> str:
    """The comparison as a report: all objections, all differences, what was found, and what can be credited.

    Args:
        compared: What was compared.
        link: Opens it; "" for none.
    """
    return (
        "\n".join(
            (*_verdict(compared, None), *_tables(compared, None), *_budgets(compared), *_found(compared), *_end(link))
        )
        + "\n"
    )


def web_address(link: str) -> str:
    """A link as it can stand in a page or in Markdown; "" where it leads to no page."""
    if not link.startswith(("http://", "https://")):
        return ""
    return quote(link, safe="%/:=&?~#+!$,;'@[]*-._")


def _verdict(compared: Compared, lines: int | None) -> Iterator[str]:
    glance, labels = compared.glance, compared.labels
    yield f"### {escaped(glance.headline(labels))}"
    yield ""
    badge = f"**{escaped(glance.badge.text)}**"
    badge += f": {escaped(glance.badge.because)}" if glance.badge.because else ""
    yield f"{badge}  "
    said = [f"{line.title}: {plain(line.said)}" for line in glance.lines]
    if glance.checkpoint:
        is_winner = glance.kind is HeadlineKind.WINNER
        said.insert(0, f"Checkpoint: {glance.checkpoint}" if is_winner else glance.checkpoint)
    yield from (f"{escaped(line)}  " for line in said[:lines])
    yield ""
    yield from _ranking(compared)
    objections = compared.overview.objections
    most = MOST_OBJECTIONS if lines is not None else len(objections)
    if objections:
        yield ""
        yield "**What speaks against it**"
        yield ""
        yield from (f"- {escaped(each.sentence)}" for each in objections[:most])
        if len(objections) > most:
            yield f"- and {len(objections) - most} more"


def _ranking(compared: Compared) -> Iterator[str]:
    ranking = compared.glance.ranking
    metrics = any(row.metric for row in ranking.rows)
    beside = compared.beside
    heads = (
        *("Run", ranking.title or "Best", *(("Metric",) if metrics else ())),
        *((beside.title,) if beside else ()),
        *("Gap at best", ""),
    )
    rows = [
        (
            compared.labels[row.run_id],
            row.value,
            *((row.metric,) if metrics else ()),
            *((beside.runs[row.run_id].words,) if beside else ()),
            row.gap,
            row.mark or row.distance,
        )
        for row in ranking.rows
    ]
    yield markdown_table(heads, rows).rstrip("\n")
    if ranking.note_apart:
        yield ""
        yield escaped(ranking.note_apart)
    if beside:
        yield ""
        yield from (f"{escaped(line)}  " for line in beside.lines)


def _tables(compared: Compared, most: int | None) -> Iterator[str]:
    rows = settings_rows(compared)
    if len(compared.runs) < 2 or not rows:
        return
    answer = settings_answer(rows, len(compared.runs))
    yield ""
    yield f"**{escaped(answer.headline)}**"
    shown = answer.different[:most]
    if shown:
        yield ""
        names = [compared.labels[run.run_id] for run in compared.runs]
        yield to_markdown([_bare(row) for row in shown] if most is not None else shown, names).rstrip("\n")
    if len(answer.different) > len(shown):
        yield ""
        yield f"and {len(answer.different) - len(shown)} more settings"
    found = credit(compared, rows)
    if found is not None:
        yield ""
        yield escaped(found.headline)
        if most is None:
            yield ""
            yield from (f"- **{escaped(line.what)}**: {escaped(line.sentence)}" for line in found.lines)
        if found.further:
            yield ""
            yield escaped(found.further)


def _bare(row: DiffRow) -> DiffRow:
    """The row without what is odd in single configurations, which a comment has no room for."""
    return replace(row, remarks=((),) * len(row.values))


def _budgets(compared: Compared) -> Iterator[str]:
    lines = compared.budgets
    if lines:
        yield ""
        yield "**At equal budgets**"
        yield ""
        yield from (f"- **{title}**: {escaped(said)}" for title, said in lines)


def _found(compared: Compared) -> Iterator[str]:
    yield ""
    yield "**What was found in the runs**"
    yield ""
    for run in compared.runs:
        found = grouped(compared.assessed[run.run_id].checks, run)
        yield f"- **{escaped(compared.labels[run.run_id])}** ({escaped(run.status_text)}){'' if found else ': nothing'}"
        yield from (f"  - {severity.value}: {escaped(sentence)}" for severity, sentence in found)
        yield from (f"  - {escaped(note)}" for note in run.notes)


def _end(link: str) -> Iterator[str]:
    if address := web_address(link):
        yield ""
        yield f"[Open the comparison]({address})"
