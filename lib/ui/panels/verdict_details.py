"""What stands behind the verdict, on demand: objections, what would flip it, noise, comparability, stability, score."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import streamlit as st

from lib.core.checks.stability import Steadiness
from lib.core.curves.evidence import stored_differs
from lib.core.ranking.decision import Decision
from lib.core.text import formatting
from lib.core.verdict.assessment import Assessment
from lib.core.verdict.checkpoints import checkpoint_sentence
from lib.core.verdict.comparability import pair_words
from lib.core.verdict.flips import flip_sentences
from lib.core.verdict.metric_words import best_word, metric_words
from lib.core.verdict.objection_kinds import Objection
from lib.core.verdict.ties import lead_sentence, lowest_sentence, why_in_best_set
from lib.ui.frame.escape import md
from lib.ui.session.assessments import assessment_of
from lib.ui.session.comparison import ComparedRun, Comparison

STABILITY_COLORS = {
    Steadiness.STEADY: "green",
    Steadiness.UNSTEADY: "orange",
    Steadiness.UNSTABLE: "red",
    Steadiness.CANNOT_TELL: "gray",
}


def details(comparison: Comparison, objections: Sequence[Objection], assessed: Mapping[str, Assessment | None]) -> None:
    """Draw a button for each part. One element holds a whole part: the browser takes its time for each."""
    decision = comparison.decision
    if decision.recommendation.winner is not None:
        _part(f"All objections ({len(objections)})", _objections(objections))
        _part("What would flip it", _flip(comparison))
        _part("Score and checkpoints", _scores(comparison, assessed))
    if len(decision.scores) > 1:
        _part("Noise", _noise(comparison))
        _part("Comparability", _comparability(decision, comparison.labels))
    _part("Stability", (_stability(each, comparison.runs) for each in comparison.runs))


def stability_badge(each: ComparedRun, runs: Sequence[ComparedRun]) -> str:
    """How steadily one of the runs trained, as a badge; "" where it was not read."""
    assessment = assessment_of(each, runs)
    if assessment is None:
        return ""
    steadiness = assessment.stability.steadiness
    return f":{STABILITY_COLORS[steadiness]}-badge[stability: {steadiness.value}]"


def _part(label: str, paragraphs: Iterable[str]) -> None:
    with st.popover(label, type="tertiary"):
        st.markdown("\n\n".join(paragraphs))


def _objections(objections: Sequence[Objection]) -> Iterator[str]:
    if not objections:
        yield "None was found."
        return
    yield "The strongest first."
    yield "\n".join(f"1. **{md(each.title)}**: {md(each.sentence)}" for each in objections)


def _flip(comparison: Comparison) -> Iterator[str]:
    sentences = flip_sentences(comparison.decision, comparison.labels)
    yield "\n".join(f"- {md(sentence)}" for sentence in sentences)
    yield ":small[Only what is named changes; everything else stays as it is.]"


def _scores(comparison: Comparison, assessed: Mapping[str, Assessment | None]) -> Iterator[str]:
    """The parts of every score, stored values that differ, and which checkpoint of each run to ship."""
    decision = comparison.decision
    scores = decision.scores
    rows = [
        (
            each.label,
            formatting.loss(score.value),
            formatting.loss(score.eval_loss),
            formatting.points(score.loss_points),
            formatting.signed(score.gap),
            score.gap_label,
            formatting.points(score.gap_points if score.total is not None else None),
            formatting.points(score.total),
        )
        for each in comparison.runs
        if (score := scores.get(each.run.run_id)) is not None
    ]
    best = f"Best {metric_words(decision.deciding.metric)}"
    yield _table(("Run", best, "Eval loss there", "Points", "Gap there", "Band", "Points", "Score"), rows)
    for each in comparison.runs:
        stored = stored_differs(each.stored, each.data.evidence) if each.data is not None else None
        own = assessed.get(each.run.run_id)
        said = [stored, checkpoint_sentence(own.checkpoint) if own is not None else "Its metrics could not be read."]
        yield f"**{md(each.label)}**: {md(' '.join(filter(None, said)))}"


def _noise(comparison: Comparison) -> Iterator[str]:
    decision, labels = comparison.decision, comparison.labels
    words = metric_words(decision.deciding.metric)
    if decision.deciding.is_loss:
        yield f"**By score.** {md(lead_sentence(decision, labels))}"
    yield f"**By {md(words)} alone.** {md(lowest_sentence(decision, labels))}"
    found = decision.contest
    rows = [
        (
            labels[run_id],
            formatting.count(found.measured[run_id]),
            formatting.loss(found.raw.get(run_id)),
            formatting.loss(one.noise if one else None),
            formatting.loss(found.value_of(one) if one else None),
            why_in_best_set(found, run_id, labels),
        )
        for run_id in decision.ranked
        for one in (found.estimate(run_id),)
    ]
    best = best_word(decision.deciding).capitalize()
    yield _table(("Run", "Evaluations", best, "Noise of one", f"{best} without luck", ""), rows)


def _comparability(decision: Decision, labels: Mapping[str, str]) -> Iterator[str]:
    """Which runs are ranked together, and what is known of every pair."""
    in_classes = decision.ranked, *(other.run_ids for other in decision.other_classes)
    classes = [[labels[run_id] for run_id in run_ids] for run_ids in in_classes]
    if len(classes) > 1:
        yield "Runs are ranked only with those whose values mean the same:"
        yield "\n".join(f"- {md(', '.join(names))}" for names in classes)
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


def _stability(each: ComparedRun, runs: Sequence[ComparedRun]) -> str:
    assessment = assessment_of(each, runs)
    if assessment is None:
        return f"**{md(each.label)}**: its metrics could not be read."
    stability = assessment.stability
    said = [md(finding.sentence) for finding in stability.findings] or [md(stability.sentence)]
    return f"**{md(each.label)}** {stability_badge(each, runs)}  \n" + "  \n".join(said)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *([md(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
