"""The ranking in miniature: every run in a row of its own, with its distance to the best and the noise of that."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from lib.core.facts.runs import RunSummary
from lib.core.gap.overfitting import GAP_WARNING
from lib.core.glance.lines import by_score, gap_decimals, shown_gaps, shown_values
from lib.core.ranking.decision import Decision
from lib.core.ranking.metric_names import REWARD
from lib.core.ranking.noise_band import noise_band
from lib.core.ranking.scoring import LeftOut, RunScore, lead_of
from lib.core.text.formatting import NOT_RECORDED, percent
from lib.core.text.precision import measured, to_decimals
from lib.core.verdict.grounds import Grounds
from lib.core.verdict.metric_words import metric_name, values_shown
from lib.core.verdict.overview import HeadlineKind, Overview
from lib.core.verdict.ties import behind_words, noise_words

MARKS: Mapping[LeftOut, str] = MappingProxyType(
    {
        LeftOut.RUNNING: "running",
        LeftOut.QUEUED: "queued",
        LeftOut.PAUSED: "paused",
        LeftOut.FAILED: "failed",
        LeftOut.CANCELLED: "cancelled",
        LeftOut.UNKNOWN: "status unknown",
        LeftOut.BROKE_DOWN: "broke down",
        LeftOut.DIED_LEVEL: "broke down",
        LeftOut.SAME_TRAINING: "same training",
        LeftOut.NO_EVAL_LOSS: "no eval loss",
        LeftOut.NO_FINITE_EVAL_LOSS: "no finite loss",
        LeftOut.BASE_ONLY: "base model only",
        LeftOut.NO_VALUE: "not logged",
        LeftOut.NO_METRIC: "not logged",
        LeftOut.NO_DIRECTION: "direction?",
    }
)
"""Why a run is left out, in two words."""

SHIP, FIRST, LEVEL, OVERFITS = "★ ship", "★ first", "≈ level", "overfits"
PICKED = " The one to ship, if you must pick."
PICK = "★ level"
"""The first of those that are level: the one that list and table mark."""
BEHIND = "behind"
SHADED = "Shaded: "


@dataclass(frozen=True, slots=True)
class Row:
    """One run in the ranking.

    Attributes:
        run_id: The run.
        value: What ranks it, as text.
        metric: Its own metric, where the runs have none in common.
        behind: How far it is behind the best, as a share of the scale; ``None`` where it is not ranked.
        within: How far the noise of the ranking reaches, as a share of the scale; ``None`` where that of the run is
            not known.
        distance: ``behind`` in words.
        gap: Eval loss less train loss at its best, as text.
        is_wide: The gap warns of overfitting.
        mark: What to know of it, in two words; "" for nothing.
        why: The same in a sentence.
    """

    run_id: str
    value: str
    metric: str = ""
    behind: float | None = None
    within: float | None = None
    distance: str = ""
    gap: str = ""
    is_wide: bool = False
    mark: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ranking:
    """All rows.

    Attributes:
        title: What the values are of; "" where each run has a metric of its own.
        rows: The ranked runs first, best first; then those that do not compare, then those left out.
        note: What the shaded noise is.
    """

    title: str
    rows: tuple[Row, ...]
    note: str

    @property
    def note_apart(self) -> str:
        """The same where nothing is shaded, as there are no bars."""
        plain = self.note.removeprefix(SHADED)
        return plain[:1].upper() + plain[1:]


def ranking_of(overview: Overview, runs: Sequence[RunSummary]) -> Ranking:
    """The ranking of a verdict about these runs."""
    grounds, kind = overview.grounds, overview.headline.kind
    decision = grounds.decision
    is_ordered = kind is not HeadlineKind.NOT_COMPARABLE
    rows = [
        *(_ranked(grounds, kind, overview.headline.caveat) if is_ordered else ()),
        *_others(grounds, is_ordered=is_ordered),
    ]
    rows += _left_out(grounds)
    if not is_ordered:
        places = {run.run_id: place for place, run in enumerate(runs)}
        rows.sort(key=lambda row: places.get(row.run_id, len(places)))
    if not is_ordered or not decision.ranked:
        return Ranking("" if not is_ordered else _title(decision), tuple(rows), _unordered_note(decision))
    return Ranking(_title(decision), tuple(rows), _note(decision))


def _title(decision: Decision) -> str:
    name = "reward" if decision.deciding.metric == REWARD else metric_name(decision.deciding.metric)
    return "Score" if by_score(decision.recommendation) else name[:1].upper() + name[1:]


def _ranked(grounds: Grounds, kind: HeadlineKind, caveat: str) -> Iterator[Row]:
    decision = grounds.decision
    scores, noise = decision.recommendation.scores, noise_band(decision)
    values, gaps = shown_values(decision), shown_gaps(scores)
    behind = {each.run_id: lead_of(scores[0], each) for each in scores}
    widest = max((each for each in (*behind.values(), noise or 0.0) if math.isfinite(each)), default=0.0)

    def share(distance: float | None) -> float | None:
        if distance is None:
            return None
        return (
            min(max(distance, 0.0) / widest, 1.0) if widest > 0.0 and math.isfinite(distance) else float(widest > 0.0)
        )

    for place, each in enumerate(scores):
        mark, why = _mark(each, decision, kind, is_first=each.run_id == decision.recommendation.run_id)
        why += PICKED if mark == PICK else ""
        mark = FIRST if mark == SHIP and caveat else mark
        why = why or grounds.behind.get(each.run_id, "")
        distance = behind_words(behind[each.run_id], decision)
        is_inside = place > 0 and noise is not None and behind[each.run_id] <= noise
        if is_inside and not mark:
            # The order of distances is not that of evidence: evaluations side by side can tell a small one.
            mark = BEHIND
        is_known = place == 0 or each.run_id in decision.lead.within
        yield Row(
            each.run_id,
            values[each.run_id],
            behind=share(behind[each.run_id]),
            within=share(noise if is_known else None),
            distance=f"{distance} behind the best" if place else "the best",
            gap=gaps[each.run_id],
            is_wide=each.gap is not None and each.gap > GAP_WARNING,
            mark=mark,
            why=why,
        )


def _mark(score: RunScore, decision: Decision, kind: HeadlineKind, *, is_first: bool) -> tuple[str, str]:
    if kind is HeadlineKind.TIE and score.run_id in decision.tied:
        why = "Not told from the best by what the noise allows."
        return (PICK if is_first else LEVEL), why
    if is_first:
        return (SHIP, "") if len(decision.ranked) > 1 else ("", "")
    if score.run_id in decision.recommendation.settings:
        return "other seed", ""
    if score.never_better:
        return "≤ base model", "Never better than before training."
    if score.gap is not None and score.gap > max(GAP_WARNING, _widest_gap(decision)):
        return OVERFITS, ""
    if score.run_id in decision.lead.undecided:
        return "noise unknown", ""
    return "", ""


def _widest_gap(decision: Decision) -> float:
    """Of the runs that may be shipped: a gap that one of them has, too, is not what another one was left for."""
    named = decision.tied or (decision.recommendation.run_id,)
    gaps = [each.gap for each in decision.recommendation.scores if each.run_id in named and each.gap is not None]
    return max(gaps, default=0.0)


def _others(grounds: Grounds, *, is_ordered: bool) -> Iterator[Row]:
    """Runs whose values mean something else: each by its own metric, in no order."""
    decision = grounds.decision
    main = () if is_ordered else (decision.recommendation,)
    for part in (*main, *(each.recommendation for each in decision.other_classes)):
        gaps, metric = shown_gaps(part.scores), metric_name(part.deciding.metric)
        for each in part.scores:
            own = grounds.other_classes.get(each.run_id, "")
            value = measured(each.value, each.values.eval_error if part.deciding.is_loss else None)
            yield Row(
                each.run_id,
                NOT_RECORDED if is_ordered else value,
                metric=metric,
                gap=gaps[each.run_id],
                is_wide=each.gap is not None and each.gap > GAP_WARNING,
                mark="not comparable" if is_ordered else _improved(decision, each.run_id),
                why=f"Not comparable: {own}. Its {metric}: {value}." if own else "",
            )


def _improved(decision: Decision, run_id: str) -> str:
    """The one figure that means the same for all: how far its eval loss came from its own first evaluation."""
    share = decision.improvements.get(run_id)
    return "" if share is None else f"{percent(share)} below its first eval loss"


def _left_out(grounds: Grounds) -> Iterator[Row]:
    decision = grounds.decision
    is_value_shown, shown = not by_score(decision.recommendation), values_shown(decision)
    decimals = gap_decimals(decision.recommendation.scores)
    for each in decision.recommendation.unscorable:
        values = decision.values.get(each.run_id)
        metric = metric_name(decision.deciding.metric)
        value = shown.get(each.run_id, NOT_RECORDED)
        told = "" if values is None or is_value_shown else f" Its {metric}: {value}."
        yield Row(
            each.run_id,
            value if is_value_shown else NOT_RECORDED,
            metric="" if values is None else metric,
            gap="" if values is None else to_decimals(values.gap, decimals, "+"),
            is_wide=values is not None and values.gap is not None and values.gap > GAP_WARNING,
            mark=MARKS[each.code],
            why=f"Left out: {grounds.left_out[each.run_id]}.{told}",
        )


def _note(decision: Decision) -> str:
    if len(decision.ranked) < 2:
        return ""
    if decision.recommendation.settings:
        return "Settings decide, between seeds: not single runs."
    noise = noise_words(decision)
    return f"{SHADED}noise, up to {noise}." if noise else "The noise is not known."


def _unordered_note(decision: Decision) -> str:
    return "Each run by its own metric; the values do not compare." if decision.scores else ""
