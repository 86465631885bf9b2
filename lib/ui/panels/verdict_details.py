"""What stands behind the verdict, on demand: objections, what would flip it, checkpoints, noise, comparability.

Text alone, so all of it is one piece of HTML: buttons and the popovers that they open by themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from lib.core.curves.evidence import stored_differs
from lib.core.curves.train_window import WINDOW_SHARE
from lib.core.ranking.decision import Decision
from lib.core.text import formatting
from lib.core.text.precision import measured
from lib.core.verdict.assessment import Assessment
from lib.core.verdict.checkpoints import checkpoint_sentence
from lib.core.verdict.comparability import pair_words
from lib.core.verdict.flips import flip_sentences
from lib.core.verdict.metric_words import best_word, metric_name
from lib.core.verdict.overview import HeadlineKind, Overview
from lib.core.verdict.ties import covers, lead_sentence, lowest_sentence, noise_words, why_in_best_set
from lib.ui.panels.verdict_html import to_chart
from lib.ui.session.comparison import Comparison


def details(comparison: Comparison, overview: Overview, assessed: Mapping[str, Assessment | None]) -> str:
    """A button for each part, and the parts."""
    parts = list(_parts(comparison, overview, assessed))
    buttons = "".join(
        f'<button type="button" popovertarget="verdict-{key}">{escape(title)}</button>' for key, title, _ in parts
    )
    bodies = "".join(
        f'<div id="verdict-{key}" class="verdict-part" popover role="dialog" aria-label="{escape(title)}">{body}</div>'
        for key, title, body in parts
    )
    # Empty too: what else is chosen of the verdict stands in this row.
    return f'<div class="verdict-more">{buttons}</div>{bodies}'


def _parts(
    comparison: Comparison, overview: Overview, assessed: Mapping[str, Assessment | None]
) -> Iterator[tuple[str, str, str]]:
    decision, labels = comparison.decision, comparison.labels
    if overview.headline.kind in (HeadlineKind.WINNER, HeadlineKind.TIE):
        yield "objections", f"Objections ({len(overview.objections)})", "".join(_objections(overview))
        flip = "What would part them" if overview.headline.kind is HeadlineKind.TIE else "What would flip it"
        yield "flip", flip, "".join(_flip(decision, overview.grounds.labels))
    if decision.scores:
        yield "checkpoints", "Checkpoints", "".join(_checkpoints(comparison, assessed))
    if len(decision.ranked) > 1:
        yield "noise", "Noise", "".join(_noise(decision, labels, overview.grounds.labels))
    if len(decision.scores) > 1:
        many = overview.headline.kind is HeadlineKind.NOT_COMPARABLE
        yield (
            "comparability",
            "Why not comparable" if many else "Comparability",
            "".join(_comparability(decision, labels)),
        )


def _paragraph(text: str, kind: str = "") -> str:
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def _list(lines: Iterable[str], tag: str = "ul") -> str:
    return f"<{tag}>{''.join(f'<li>{line}</li>' for line in lines)}</{tag}>"


def _objections(overview: Overview) -> Iterator[str]:
    if not overview.objections:
        yield _paragraph("None found.")
        return
    yield _list(
        (
            f"<b>{escape(_capital(each.title))}.</b> {to_chart(escape(each.sentence), each.place)}"
            for each in overview.objections
        ),
        "ol",
    )


def _flip(decision: Decision, names: Mapping[str, str]) -> Iterator[str]:
    yield _list(escape(sentence) for sentence in flip_sentences(decision, names))
    yield _paragraph("Only what is named changes; everything else stays as it is.", "muted")


def _checkpoints(comparison: Comparison, assessed: Mapping[str, Assessment | None]) -> Iterator[str]:
    """Which checkpoint of each run to ship, with the values there, and stored values that differ."""
    decision = comparison.decision
    scores = decision.scores
    rows = [
        (
            each.label,
            formatting.count(score.values.step),
            *(() if decision.deciding.is_loss else (measured(score.value),)),
            measured(score.eval_loss, score.values.eval_error),
            measured(score.train_loss, score.values.train_error),
        )
        for each in comparison.in_order
        if (score := scores.get(each.run.run_id)) is not None
    ]
    best = () if decision.deciding.is_loss else (f"Best {metric_name(decision.deciding.metric)}",)
    yield _table(
        ("Run", "Best step", *best, "Eval loss there", f"Train loss there, mean of the last {WINDOW_SHARE:.0%}"), rows
    )
    for each in comparison.in_order:
        stored = stored_differs(each.stored, each.data.evidence) if each.data is not None else None
        own = assessed.get(each.run.run_id)
        said = [checkpoint_sentence(own.checkpoint) if own is not None else "Its metrics could not be read.", stored]
        yield f"<p><b>{escape(each.label)}</b>: {escape(' '.join(filter(None, said)))}</p>"


def _noise(decision: Decision, labels: Mapping[str, str], names: Mapping[str, str]) -> Iterator[str]:
    words = metric_name(decision.deciding.metric)
    if decision.recommendation.gaps_count:
        yield f"<p><b>By score.</b> {escape(lead_sentence(decision, names))}</p>"
    # By score the noise of what ranks is said with the lead.
    noise = "" if decision.recommendation.gaps_count else noise_words(decision)
    reach = f" Noise: up to {noise}." if noise else ""
    yield f"<p><b>By {escape(words)} alone.</b> {escape(lowest_sentence(decision, names) + reach)}</p>"
    found = decision.contest
    yield _paragraph(covers(found, decision.lead.bases), "muted")
    rows = [
        (
            labels[run_id],
            formatting.count(found.measured[run_id]),
            measured(found.raw.get(run_id)),
            measured(one.noise if one else None),
            measured(found.value_of(one), one.error) if one else formatting.NOT_RECORDED,
            why_in_best_set(found, run_id, names),
        )
        for run_id in decision.ranked
        for one in (found.estimate(run_id),)
    ]
    best = _capital(best_word(decision.deciding))
    yield _table(("Run", "Evaluations", best, "Spread", f"{best} without luck", ""), rows)


def _comparability(decision: Decision, labels: Mapping[str, str]) -> Iterator[str]:
    """Which runs are ranked together, and what is known of every pair."""
    in_classes = decision.ranked, *(other.run_ids for other in decision.other_classes)
    classes = [[labels[run_id] for run_id in run_ids] for run_ids in in_classes]
    if len(classes) > 1:
        yield _paragraph("Runs are ranked only with those whose values mean the same:")
        yield _list(escape(", ".join(names)) for names in classes)
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for pair in decision.comparability.pairs:
        names = " – ".join(labels[run_id] for run_id in pair.run_ids)
        alike[pair.agreement.value, pair_words(pair)].append(names)
    count = len(decision.comparability.pairs)
    rows = [
        (f"all {count} pairs" if len(pairs) == count > 1 else "; ".join(pairs), agreement, why)
        for (agreement, why), pairs in alike.items()
    ]
    yield _table(("Runs", "Values", "What is known"), rows)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    heads = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
