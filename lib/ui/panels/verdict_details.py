"""What stands behind the verdict, on demand: objections, what would flip it, noise, comparability, stability, score."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import streamlit as st

from lib.core.checks.stability import Level
from lib.core.curves.evidence import stored_differs
from lib.core.ranking.comparability import Outcome, Pair
from lib.core.ranking.decision import Decision
from lib.core.text import formatting
from lib.core.verdict.panel import Panel
from lib.ui.frame.escape import md
from lib.ui.session.comparison import ComparedRun, Comparison
from lib.ui.session.judgements import Judgements, judgements

STABILITY_COLORS = {
    Level.STEADY: "green",
    Level.UNSTEADY: "orange",
    Level.UNSTABLE: "red",
    Level.CANNOT_TELL: "gray",
}


def details(comparison: Comparison, panel: Panel, judged: Mapping[str, Judgements | None]) -> None:
    """Draw a button for each part. One element holds a whole part: the browser takes its time for each."""
    decision = comparison.decision
    if decision.recommendation.winner is not None:
        _part(f"All objections ({len(panel.objections)})", _objections(panel))
        _part("What would flip it", _flip(decision))
        _part("Score and checkpoints", _scores(comparison, judged))
    if len(decision.scores) > 1:
        _part("Noise", _noise(comparison))
        _part("Comparability", _comparability(decision, comparison.labels))
    _part("Stability", (_stability(each) for each in comparison.runs))


def stability_badge(each: ComparedRun) -> str:
    """How steadily a run trained, as a badge; "" where it was not read."""
    if each.data is None:
        return ""
    level = judgements(each).stability.level
    return f":{STABILITY_COLORS[level]}-badge[stability: {level.value}]"


def _part(label: str, paragraphs: Iterable[str]) -> None:
    with st.popover(label, type="tertiary"):
        st.markdown("\n\n".join(paragraphs))


def _objections(panel: Panel) -> Iterator[str]:
    if not panel.objections:
        yield "None was found."
        return
    yield "The strongest first."
    yield "\n".join(f"1. **{md(each.title)}**: {md(each.sentence)}" for each in panel.objections)


def _flip(decision: Decision) -> Iterator[str]:
    yield "\n".join(f"- {md(sentence)}" for sentence in decision.flip.sentences)
    yield ":small[Only what is named changes; everything else stays as it is.]"


def _scores(comparison: Comparison, judged: Mapping[str, Judgements | None]) -> Iterator[str]:
    """The parts of every score, stored values that differ, and which checkpoint of each run to ship."""
    scores = comparison.decision.scores
    rows = [
        (
            each.label,
            formatting.loss(score.eval_loss),
            formatting.points(score.loss_points),
            formatting.signed(score.gap),
            score.gap_label,
            formatting.points(score.gap_points),
            formatting.points(score.total),
        )
        for each in comparison.runs
        if (score := scores.get(each.run.run_id)) is not None
    ]
    yield _table(("Run", "Eval loss", "Points", "Gap", "Band", "Points", "Score"), rows)
    for each in comparison.runs:
        stored = stored_differs(each.stored, each.data.evidence) if each.data is not None else None
        own = judged.get(each.run.run_id)
        said = [stored, own.checkpoint.sentence if own is not None else "Its metrics could not be read."]
        yield f"**{md(each.label)}**: {md(' '.join(filter(None, said)))}"


def _noise(comparison: Comparison) -> Iterator[str]:
    decision = comparison.decision
    yield f"**By score.** {md(decision.lead.sentence)}"
    yield f"**By eval loss alone.** {md(decision.lowest.sentence)}"
    rows = [
        (
            comparison.labels[run_id],
            formatting.count(noise.evaluations),
            formatting.loss(noise.lowest),
            formatting.loss(noise.noise),
            formatting.loss(noise.expected),
            decision.lowest.reasons[run_id],
        )
        for run_id, noise in decision.lowest.noises.items()
    ]
    yield _table(("Run", "Evaluations", "Lowest", "Noise of one", "Lowest without luck", ""), rows)


def _comparability(decision: Decision, labels: Mapping[str, str]) -> Iterator[str]:
    """Which runs are ranked together, and what is known of every pair."""
    classes = [[labels[run_id] for run_id in each] for each in (decision.ranked, *(a.run_ids for a in decision.apart))]
    if len(classes) > 1:
        yield "Runs are ranked only with those whose eval losses mean the same:"
        yield "\n".join(f"- {md(', '.join(names))}" for names in classes)
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for pair in decision.comparability.pairs:
        names = " – ".join(labels[run_id] for run_id in pair.run_ids)
        alike[pair.outcome.value, "; ".join(_aspects(pair))].append(names)
    count = len(decision.comparability.pairs)
    rows = [
        (f"all {count} pairs" if len(pairs) == count > 1 else "; ".join(pairs), outcome, why or "nothing differs")
        for (outcome, why), pairs in alike.items()
    ]
    yield _table(("Runs", "Eval losses", "What is known"), rows)


def _aspects(pair: Pair) -> Iterator[str]:
    """What decides about a pair; the values that differ are named."""
    differing = [result for result in pair.having(Outcome.DIFFERENT) if result.decides]
    cautions = [result for result in pair.having(Outcome.DIFFERENT) if not result.decides]
    for result in differing:
        yield f"different {_lower(result.aspect.title)} ({' / '.join(result.shown)})"
    unknown = [_lower(result.aspect.title) for result in pair.having(Outcome.CANNOT_TELL)]
    if unknown:
        yield f"cannot tell whether the same: {', '.join(unknown)}"
    for result in cautions:
        yield f"with care, different {_lower(result.aspect.title)} ({' / '.join(result.shown)})"


def _stability(each: ComparedRun) -> str:
    if each.data is None:
        return f"**{md(each.label)}**: its metrics could not be read."
    stability = judgements(each).stability
    said = [md(finding.sentence) for finding in stability.findings] or [md(stability.sentence)]
    return f"**{md(each.label)}** {stability_badge(each)}  \n" + "  \n".join(said)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *([md(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _lower(title: str) -> str:
    return title[0].lower() + title[1:]
