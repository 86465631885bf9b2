"""The rules that rank, for whatever is selected: every number in them is read from the code that uses it."""

from __future__ import annotations

import math
from functools import cache

from lib.core.answers.score_steps import band_words
from lib.core.curves.train_window import WINDOW_SHARE
from lib.core.facts.limits import shown
from lib.core.facts.runs import STATUS_SYNONYMS, RunStatus
from lib.core.facts.scores import HIGHER, LOWER
from lib.core.facts.selection import MAX_SELECTED
from lib.core.gap.overfitting import GAP_WARNING
from lib.core.gap.plausibility import MULTIPLE_WITHIN
from lib.core.ranking.policy import DEFAULT_POLICY, ScoringPolicy
from lib.core.ranking.scoring import TIE_DECIMALS
from lib.core.ranking.values import REWARD_SHARE
from lib.core.text import formatting
from lib.core.text.phrases import counted
from lib.core.verdict.limits import LIMITS
from lib.core.verdict.reasons import TIE_BREAKS
from lib.ui.panels.prose import folded, prose, table
from lib.ui.panels.trust_rules import trust_rules


@cache
def rules(policy: ScoringPolicy) -> str:
    """The rules as a card of parts that open on a click; the same for whatever is selected."""
    parts = (
        ("The composite score", "what decides, and how it becomes points", _score(policy)),
        ("Gap points", "the bands of the gap", _gap(policy)),
        ("Who may be recommended", "and how a status is read", _eligible()),
        ("Order and ties", "", _order()),
        ("When to trust the score", "comparability, noise, and how sure a verdict is", trust_rules()),
    )
    body = "".join(folded(*part) for part in parts)
    return f'<section class="card"><header><h2>The rules</h2></header>{body}{_limits()}</section>'


def _score(policy: ScoringPolicy) -> str:
    composite = (
        f"**Composite = {policy.eval_weight:.2f} × eval-loss points + {policy.gap_weight:.2f} × gap points**,"
        " 0 to 100, higher is better."
        + (
            ""
            if policy == DEFAULT_POLICY
            else f" The default weight of the eval loss is {DEFAULT_POLICY.eval_weight:.2f}."
        )
    )
    candidates = [
        "The metric by which the runs chose their own best checkpoint, where all that say so name the same one:"
        " `metric_for_best_model`, else the one logged metric that equals `best_metric` at the best checkpoint.",
        "The eval loss, where the method's loss measures fit to data and never goes below 0.",
        "The loss on a named evaluation set: that which most runs logged, then the first by name.",
        f"The reward of evaluations; else its mean over the last {REWARD_SHARE:.0%} of the steps.",
    ]
    deciding = (
        "**What decides**, the first that gives one; it can be chosen beside the verdict, too:\n\n"
        + "\n".join(f"1. {rule}" for rule in candidates)
        + "\n\nWhich direction is better is what the trainer recorded, else what its best value shows, else what the"
        f" name tells (lower: {', '.join(LOWER)}; higher: {', '.join(HIGHER)}). With a loss the composite ranks, with"
        " any other metric its best value; runs without it are left out."
    )
    of_one_step = (
        "**Everything is of one step**: the earliest one above 0 at which the deciding metric is best, whose checkpoint"
        " would be shipped. **Eval loss E** is the one logged there. **Train loss T** is the mean over the last"
        f" {WINDOW_SHARE:.0%} of the steps up to it. Without series, stored values stand for them. 0 is a value; null,"
        " NaN, infinity and text are not. A train loss does not count where it is exactly 0, not finite, above what"
        f" guessing tokens gives, or within {MULTIPLE_WITHIN:.0%} of as many times the eval loss as batches were"
        " accumulated or processes ran.\n\n"
        f"**Eval-loss points = 100 × ((B + {policy.loss_offset:g}) / (max(E, 0) + {policy.loss_offset:g})) ^"
        f" {policy.loss_power}**, where B is the lowest E of the ranked runs: 100 for the lowest, nine to ten points"
        " less"
        " for each percent above it. So a run's composite depends on which runs it is ranked with, through B alone; its"
        " values never do."
    )
    return prose("\n\n".join((composite, deciding, of_one_step)))


def _gap(policy: ScoringPolicy) -> str:
    said = (
        f"The gap is E − T, rounded to {TIE_DECIMALS} decimals before it is compared with the edges of the bands. Its"
        " points are the expected ones of a gap that is normal around the measured one, with the standard error of both"
        f" losses. A gap below 0 that averaging, noise and dropout explain has {policy.gap_range[1]:g} points, and so"
        " has"
        f" what lies below 0 of a gap that does not. The table marks gaps above {GAP_WARNING:g} and below 0. Where no"
        " gap is known, the eval-loss points alone rank; where some are, an unknown one may be of any band, and a lead"
        " inside that reach is none."
    )
    lows = (-math.inf, *(band.below for band in policy.bands))
    bands = [
        (band_words(low, band), formatting.points(band.points), band.label)
        for low, band in zip(lows, policy.bands, strict=False)
    ]
    unknown = policy.unknown_band
    bands.append(("unknown", formatting.points(unknown.points), unknown.label))
    return prose(said) + table(("Gap", "Points", "Said"), bands)


def _eligible() -> str:
    said = (
        "Only completed runs that have a value of the deciding metric; of runs with one log, or where one is the"
        " beginning of the other, one. Every other selected run is listed with the reason why it was"
        " left out. Statuses are read like this, in any case of letters:"
    )
    statuses = [(status.value, ", ".join(raw)) for status, raw in STATUS_SYNONYMS.items()]
    statuses.append((RunStatus.UNKNOWN.value, "anything else, null or empty: shown as it is, never recommended"))
    return prose(said) + table(("Status", "Read from"), statuses, (20, 80))


def _order() -> str:
    return prose(
        f"Best score first. Scores that are equal when rounded to {TIE_DECIMALS} decimals are a tie, which goes to"
        f" {', then to '.join(rule.goes_to for rule in TIE_BREAKS.values())}. The order does not depend on that in"
        " which"
        f" runs were selected, of which there are at most {MAX_SELECTED}."
    )


def _limits() -> str:
    """Every number that decides what is said beside the score, with its reason."""
    parts = "".join(
        folded(
            heading,
            counted(len(listed), "limit"),
            table(
                ("Limit", "Value", "Meaning"),
                [(limit.title, shown(limit), limit.reason) for limit in listed],
                (22, 12, 66),
            ),
        )
        for heading, listed in LIMITS.items()
    )
    said = (
        "Stability, run health, overfitting at matched steps and the data passport are no part of the score;"
        " these numbers decide what is said of them."
    )
    count = sum(map(len, LIMITS.values()))
    return folded("Limits", f"{count} numbers that decide what is said beside the score", f"<p>{said}</p>{parts}")
