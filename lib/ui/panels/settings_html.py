"""The cards of the page of the hyperparameters, as one piece of HTML: the browser takes its time for each element."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from lib.core.answers.settings import SettingsAnswer, equal_by_group, equal_value, provenance
from lib.core.config.diff import DiffRow
from lib.core.config.report import effective_table, odd_settings, tokens_per_step
from lib.core.config.setting import Oddity
from lib.core.credit.words import CreditAnswer
from lib.core.glance.lines import shown_gaps, shown_losses, shown_values
from lib.core.text import formatting
from lib.core.text.phrases import listed
from lib.core.text.precision import to_decimals
from lib.core.verdict.metric_words import metric_name
from lib.ui.frame.run_names import Named, shared_words
from lib.ui.session.comparison import Comparison

LONG, LONG_WORD = 24, 60
"""Characters of a value from which on it is read like a text, from the left; and of one without a blank, such as the
name of a base model, which is compared with the one beside it."""
SETTING_SHARE = 20
"""Percent of a table's width that the names of the settings have."""

_FLAG = '<span title="The run\'s own config contradicts itself, see below"> ⚠</span>'
_HEADINGS = {Oddity.CONTRADICTION: "Contradictions", Oddity.TYPO: "Probable typos", Oddity.REMARK: "Remarks"}
_PLACES = (
    "<thead><tr>"
    + "".join(f'<th scope="col">{title}</th>' for title in ("Setting", "Value", "From", "Other places"))
    + "</tr></thead>"
)
_COUNTS = (
    "The place that counts stands first. The config comes before the job's columns; for LoRA, lora.* before"
    " training.lora_config.* before training.lora_r and its like."
)


def settings_page(
    answer: SettingsAnswer, comparison: Comparison, named: Sequence[Named], start: str, *, everything: bool
) -> tuple[str, str]:
    """The table that stands below the sentence, and the cards below that.

    Args:
        answer: What the comparison comes to, of the rows that are shown.
        comparison: The runs, for their results.
        named: What they are called, in the order of the rows' values.
        start: What all names begin with.
        everything: Whether equal settings stand in the table too.
    """
    if len(named) == 1:
        return _one_run(answer, named[0]), _notes(answer, named)
    table = _different(answer, comparison, named, start, everything=everything)
    same = "" if everything else _same(answer)
    return table, same + _notes(answer, named) + _origins(answer, named)


def _head(named: Sequence[Named]) -> str:
    share = (100 - SETTING_SHARE) / len(named)
    columns = f'<col style="width:{SETTING_SHARE}%">' + f'<col style="width:{share:.2f}%">' * len(named)
    heads = "".join(
        f'<th scope="col" class="value" data-run="{each.each.slot}" title="{escape(each.each.label)}">'
        f'<span class="head-of">{each.html}</span></th>'
        for each in named
    )
    return f'<colgroup>{columns}</colgroup><thead><tr><th scope="col">Setting</th>{heads}</tr></thead>'


def _different(
    answer: SettingsAnswer, comparison: Comparison, named: Sequence[Named], start: str, *, everything: bool
) -> str:
    rows = [_row(row, named) for row in answer.different]
    if everything and answer.same:
        rows += [_part("The same in all runs", named), *(_row(row, named) for row in answer.same)]
    rows += _results(comparison, named)
    foot = [shared_words(start, named)]
    if any(any(row.odd) for row in answer.different):
        foot.append("shaded: against the rest")
    if any('class="value best"' in row for row in rows):
        foot.append("bold: best result")
    return (
        f'<section class="card" aria-label="Settings that differ"><table class="stacks">{_head(named)}'
        f'<tbody>{"".join(rows)}</tbody></table><p class="foot">{" · ".join(filter(None, foot))}</p></section>'
    )


def _part(title: str, named: Sequence[Named]) -> str:
    return f'<tr class="part"><th scope="rowgroup" colspan="{len(named) + 1}">{escape(title)}</th></tr>'


def _row(row: DiffRow, named: Sequence[Named]) -> str:
    cells = []
    texts = row.shown
    is_long = any(len(shown) > (LONG if " " in shown else LONG_WORD) for shown in texts)
    for each, shown, odd, contradicted in zip(named, texts, row.odd, row.contradicted, strict=True):
        kind = "value long" if is_long else "value"
        hint = ' title="Against the rest"' if odd else ""
        cells.append(
            f'<td class="{kind}{" odd" if odd else ""}"{hint}><span class="who">{each.html}</span>'
            f"<span>{escape(shown)}{_FLAG if contradicted else ''}</span></td>"
        )
    return f'<tr><th scope="row">{escape(row.title)}</th>{"".join(cells)}</tr>'


def _results(comparison: Comparison, named: Sequence[Named]) -> Iterator[str]:
    """What the runs came to, as far as that may stand side by side."""
    decision = comparison.decision
    scores = [decision.scores.get(each.run_id) for each in named]
    if not any(scores):
        return
    are_alike = not decision.other_classes
    yield _part("Results, for orientation", named)
    deciding = decision.deciding
    if are_alike and deciding.is_loss:
        totals = [None if score is None else score.total for score in scores]
        yield _result("Score", [to_decimals(total, 1) for total in totals], totals, named, highest=True)
    elif are_alike and deciding.metric is not None:
        values = [None if score is None else score.value for score in scores]
        words = metric_name(deciding.metric)
        title = words[:1].upper() + words[1:]
        by_run = shown_values(decision)
        yield _result(title, _of_each(by_run, named), values, named, highest=deciding.better == "higher")
    losses = [None if score is None else score.eval_loss for score in scores]
    if any(loss is not None for loss in losses):
        best = losses if are_alike else [None] * len(losses)
        by_run = shown_losses([score for score in scores if score is not None])
        yield _result("Eval loss at its best step", _of_each(by_run, named), best, named)
    gaps = [None if score is None else score.gap for score in scores]
    if any(gap is not None for gap in gaps):
        by_run = shown_gaps([score for score in scores if score is not None])
        yield _result("Gap there", _of_each(by_run, named), [None] * len(gaps), named)


def _of_each(shown: Mapping[str, str], named: Sequence[Named]) -> list[str]:
    """What is shown of each run; nothing is recorded of those that have no score."""
    return [shown.get(each.run_id, formatting.NOT_RECORDED) for each in named]


def _result(
    title: str, shown: Sequence[str], values: Sequence[float | None], named: Sequence[Named], *, highest: bool = False
) -> str:
    known = [value for value in values if value is not None]
    best = (max(known) if highest else min(known)) if len(known) > 1 else None
    cells = "".join(
        f'<td class="value{" best" if best is not None and value == best else ""}"><span class="who">{each.html}</span>'
        f"<span>{escape(text)}</span></td>"
        for each, text, value in zip(named, shown, values, strict=True)
    )
    return f'<tr class="result"><th scope="row">{escape(title)}</th>{cells}</tr>'


def credit_card(answer: CreditAnswer) -> str:
    """Which change the difference in the deciding metric can be credited with."""
    lines = "".join(f"<dt>{escape(line.what)}</dt><dd>{escape(line.sentence)}</dd>" for line in answer.lines)
    if answer.further:
        lines += f"<dt>A further run</dt><dd>{escape(answer.further)}</dd>"
    body = f'<dl class="lines">{lines}</dl>' if lines else ""
    foot = f'<p class="foot">{escape(answer.aside)}</p>' if answer.aside else ""
    return (
        f'<section class="card" aria-label="Credit"><header><h2>{escape(answer.headline)}</h2></header>{body}{foot}'
        "</section>"
    )


def _same(answer: SettingsAnswer) -> str:
    if not answer.same:
        return ""
    count = len(answer.same)
    title = "Same in all runs that state it" if answer.lacking else "Same in all runs"
    lines = "".join(
        f"<dt>{escape(group)}</dt><dd>{_pairs(values)}</dd>" for group, values in equal_by_group(answer.same).items()
    )
    return (
        f'<section class="card"><header><h2>{title}</h2><span class="beside">{count}'
        f' setting{"" if count == 1 else "s"}</span></header><dl class="lines quiet">{lines}</dl></section>'
    )


def _pairs(values: Iterable[tuple[str, str]]) -> str:
    return " ".join(
        f'<span class="pair"><span class="muted">{escape(title)}</span> {escape(value)}</span>'
        for title, value in values
    )


def _notes(answer: SettingsAnswer, named: Sequence[Named]) -> str:
    """What is odd in single configurations, what no run uses, and what none records."""
    found = odd_settings((*answer.different, *answer.same, *answer.identity))
    lines = []
    for kind, heading in _HEADINGS.items():
        of_kind = [one for one in found if one.kind is kind]
        if of_kind:
            said = "".join(
                f'<p data-run="{named[one.run].each.slot}">{_whose(named, one.run)}'
                f"{escape(_about(one.titles, one.sentence))}</p>"
                for one in of_kind
            )
            lines.append((f"{heading} ({len(of_kind)})", said))
        elif kind is Oddity.CONTRADICTION:
            lines.append((heading, "None found."))
    if answer.missing:
        said = f"{listed(answer.missing)}."
        lines.append(("Not recorded", escape(said[:1].upper() + said[1:])))
    if answer.unused:
        said = f"{', '.join(answer.unused)}."
        lines.append(("Not used", escape(said[:1].upper() + said[1:])))
    body = "".join(f"<dt>{heading}</dt><dd>{said}</dd>" for heading, said in lines)
    return f'<section class="card" aria-label="Notes"><dl class="lines">{body}</dl></section>'


def _whose(named: Sequence[Named], run: int) -> str:
    return f"{named[run].html} · " if len(named) > 1 else ""


def _about(titles: Sequence[str], sentence: str) -> str:
    joined = ", ".join(titles)
    return sentence if sentence.startswith(joined) else f"{joined}: {sentence}"


def _origins(answer: SettingsAnswer, named: Sequence[Named]) -> str:
    """Where values are from, setting by setting; and what tells the runs apart by design."""
    names = [each.brief for each in named]
    rows = "".join(
        f'<tr><th scope="row">{escape(row.title)}</th><td>{escape(_value(row))}</td>'
        f"<td>{escape(provenance(row, names))}</td><td>{escape(_others(row, names))}</td></tr>"
        for row in (*answer.different, *answer.same)
    )
    tokens = [
        f"{escape(each.brief)} {formatting.count(measured)}"
        for each in named
        if (measured := tokens_per_step(each.each.run)) is not None
    ]
    measured_words = f" Tokens per optimizer step, measured on average: {', '.join(tokens)}." if tokens else ""
    shown = (
        '<details><summary><h3>Where values come from</h3><span class="beside">each setting with its places</span>'
        '</summary><div class="in"><div class="scrolls"><table class="stacks">'
        f'{_PLACES}<tbody>{rows}</tbody></table></div><p class="muted">{_COUNTS}{measured_words}</p></div></details>'
    )
    identity = ""
    if answer.identity:
        body = "".join(_row(row, named) for row in answer.identity)
        identity = (
            f'<details><summary><h3>Names, paths and ids</h3><span class="beside">{len(answer.identity)}, which say'
            f' nothing about how the runs were trained</span></summary><div class="in"><table class="stacks">'
            f"{_head(named)}<tbody>{body}</tbody></table></div></details>"
        )
    return f'<section class="card" aria-label="Sources">{shown}{identity}</section>'


def _value(row: DiffRow) -> str:
    return "differs" if row.differs else equal_value(row)


def _others(row: DiffRow, names: Sequence[str]) -> str:
    """The other places that state the setting, of runs with the same ones together."""
    said: dict[str, list[str]] = {}
    for run, name in enumerate(names):
        text = next((other for _, _, _, other, _ in effective_table([row], run)), "")
        if text:
            said.setdefault(text, []).append(name)
    if len(said) == 1 and len(next(iter(said.values()))) == len(names):
        return next(iter(said))
    return "; ".join(f"{text} ({listed(of)})" for text, of in said.items())


def _one_run(answer: SettingsAnswer, named: Named) -> str:
    rows, last = [], ""
    for title, value, source, others, group in effective_table((*answer.same, *answer.identity), 0):
        if group != last:
            rows.append(f'<tr class="part"><th scope="rowgroup" colspan="4">{escape(group)}</th></tr>')
            last = group
        cells = "".join(f"<td>{escape(text)}</td>" for text in (value, source, others))
        rows.append(f'<tr><th scope="row">{escape(title)}</th>{cells}</tr>')
    tokens = tokens_per_step(named.each.run)
    measured = "" if tokens is None else f" Measured: {formatting.count(tokens)} tokens per optimizer step on average."
    return (
        f'<section class="card" aria-label="Effective configuration"><table class="stacks">{_PLACES}'
        f'<tbody>{"".join(rows)}</tbody></table><p class="foot">{_COUNTS}{measured}</p></section>'
    )
