"""The verdict at a glance, as a page or a terminal shows it: headline, badge, a few lines, and a ranking in miniature.

What is said is short, for somebody who has not read the rules; what it rests on stands in the other modules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lib.core.facts.runs import RunSummary
from lib.core.glance.lines import HAVE_ENDED, against, by_score, differing, to_decide, why, why_none
from lib.core.glance.rows import MARKS, Ranking, ranking_of
from lib.core.noise.best_set import Outcome
from lib.core.ranking.decision import Decision
from lib.core.ranking.offers import stored_best
from lib.core.ranking.scoring import Unscorable
from lib.core.text.formatting import shorten_middle
from lib.core.text.precision import measured
from lib.core.text.sentences import Sentence, plain
from lib.core.verdict.assessment import Assessment
from lib.core.verdict.checkpoints import checkpoint_name, checkpoint_note
from lib.core.verdict.comparability import aspect_names
from lib.core.verdict.metric_words import metric_name
from lib.core.verdict.objection_kinds import Sureness
from lib.core.verdict.overview import Headline, HeadlineKind, Overview

ASPECTS_SHOWN = 2
"""Differences that the headline names."""


PICKED_LIMIT = 20
"""Characters of the name of the run to pick in a tie, which stands whole in the ranking: its line must not wrap."""


class Level(StrEnum):
    """How a badge looks."""

    GOOD = "good"
    WARN = "warn"
    INFO = "info"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Badge:
    """How sure, in a word.

    Attributes:
        level: How it looks.
        text: The word.
        because: Why, in a few words beside it.
    """

    level: Level
    text: str
    because: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the panel: what it answers, and the answer, with the step and the metric that it is about."""

    title: str
    said: Sentence
    place: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Glance:
    """What is said at a glance.

    Attributes:
        kind: What the headline says.
        verb: Its beginning, and all of it where it names no run.
        run_ids: The runs that it names, behind the verb.
        checkpoint: Which checkpoint of the recommended run to ship; "" without one.
        badge: How sure.
        lines: Why, what speaks against it, and what to do.
        ranking: Every run in a row of its own.
    """

    kind: HeadlineKind
    verb: str
    run_ids: tuple[str, ...]
    checkpoint: str
    badge: Badge
    lines: tuple[Line, ...]
    ranking: Ranking

    def headline(self, names: Mapping[str, str]) -> str:
        """The headline as one text.

        Args:
            names: What the runs are called in it.
        """
        return " ".join(filter(None, (self.verb, ", ".join(names[run_id] for run_id in self.run_ids))))

    @property
    def texts(self) -> dict[str, str]:
        """The lines as plain text, by their titles."""
        return {line.title: plain(line.said) for line in self.lines}


def glance_of(
    overview: Overview,
    runs: Sequence[RunSummary],
    assessed: Mapping[str, Assessment | None],
    *,
    has_alike: bool = False,
) -> Glance:
    """Put a verdict into few words.

    Args:
        overview: The verdict; the names in the lines are those of its grounds.
        runs: The runs, in the order in which they are shown.
        assessed: By run id; ``None`` where a run's curves could not be read.
        has_alike: Where these do not compare, runs that may can be selected instead.
    """
    kind = overview.headline.kind
    is_winner = kind in _NAMING
    picked = overview.headline.run_ids[0] if is_winner else None
    own = None if picked is None else assessed.get(picked)
    return Glance(
        kind=kind,
        verb=_verb(overview.headline, overview.grounds.decision),
        run_ids=overview.headline.run_ids if is_winner else (),
        checkpoint=_checkpoint(overview, picked, own),
        badge=_badge(overview),
        lines=tuple(line for line in _lines(overview, assessed, own, has_alike=has_alike) if line.said),
        ranking=ranking_of(overview, runs),
    )


def better_words(run: RunSummary, name: str, decision: Decision) -> str:
    """That a run which is not selected is better by what is stored of it."""
    value = measured(stored_best(run, decision.deciding.metric))
    word = "higher" if decision.deciding.better == "higher" else "lower"
    what = f"{word} {metric_name(decision.deciding.metric)}" if by_score(decision.recommendation) else "better"
    return f"Not selected, but {what}: {name}, {value}"


def headline_text(headline: Headline, decision: Decision, names: Mapping[str, str]) -> str:
    """A headline as one text.

    Args:
        headline: Of the decision.
        decision: About these runs.
        names: What the runs are called in it.
    """
    named = headline.run_ids if headline.kind in _NAMING else ()
    return " ".join(filter(None, (_verb(headline, decision), ", ".join(names[run_id] for run_id in named))))


_NAMING = frozenset((HeadlineKind.WINNER, HeadlineKind.TIE))
"""Headlines that name runs."""


def _verb(headline: Headline, decision: Decision) -> str:
    match headline.kind:
        case HeadlineKind.WINNER:
            if len(decision.ranked) == 1:
                return "Only choice:"
            return "Best of these:" if headline.caveat else "Ship"
        case HeadlineKind.TIE:
            return "Best of these:" if headline.caveat else "Ship any of"
        case HeadlineKind.NOT_COMPARABLE:
            aspects = differing(decision)
            names = f"different {aspect_names(aspects[:ASPECTS_SHOWN])}" if aspects else "too little is recorded"
            return f"Not comparable: {names}"
        case HeadlineKind.NONE:
            return "No recommendation"
        case HeadlineKind.NONE_YET:
            return "No recommendation yet"


def _checkpoint(overview: Overview, picked: str | None, own: Assessment | None) -> str:
    if picked is None or own is None:
        return ""
    name = checkpoint_name(own.checkpoint)
    if overview.headline.kind is not HeadlineKind.TIE:
        return name
    label = overview.grounds.labels[picked]
    return f"If you must pick: {shorten_middle(label, PICKED_LIMIT, PICKED_LIMIT // 2)}, {name}"


_LEVELS: Mapping[Sureness, Level] = {
    Sureness.SURE: Level.GOOD,
    Sureness.FAIRLY_SURE: Level.GOOD,
    Sureness.LIKELY: Level.WARN,
    Sureness.UNSURE: Level.WARN,
    Sureness.TIE: Level.INFO,
    Sureness.CANNOT_TELL: Level.WARN,
}


def _badge(overview: Overview) -> Badge:
    decision, level = overview.grounds.decision, overview.surety.level
    match overview.headline.kind:
        case HeadlineKind.NONE | HeadlineKind.NONE_YET:
            states = Counter(MARKS[each.code] for each in decision.recommendation.unscorable)
            said = ", ".join(f"{many} {state}" for state, many in states.items())
            look = Level.INFO if overview.headline.kind is HeadlineKind.NONE_YET or not said else Level.BAD
            return Badge(look, said or "Nothing selected", _needed(decision.recommendation.unscorable))
        case HeadlineKind.NOT_COMPARABLE:
            return Badge(Level.BAD, "No recommendation", "each run is judged on its own")
    if overview.headline.caveat:
        return Badge(Level.BAD, level.value.capitalize(), overview.headline.caveat)
    if len(decision.ranked) == 1:
        return Badge(Level.INFO, "Nothing to compare with", "")
    if level is Sureness.TIE:
        return Badge(Level.INFO, "Tie", "")
    is_beyond = decision.lead.outcome is Outcome.WINNER and not decision.lead.never_better
    text = "Cannot tell how sure" if level is Sureness.CANNOT_TELL else level.value.capitalize()
    causes = {each.code: each.count or each.title for each in overview.objections}
    because = causes[overview.surety.because[0]] if overview.surety.because else ""
    if is_beyond and level in (Sureness.SURE, Sureness.FAIRLY_SURE):
        counted = [each.count for each in overview.objections if each.count and each.code in overview.surety.because]
        because = counted[0] if counted else "the lead is beyond the noise"
    return Badge(_LEVELS[level], text, because)


def _needed(left_out: Sequence[Unscorable]) -> str:
    """What a run must have to be recommended, by what the selected ones lack."""
    if left_out and all(each.code in HAVE_ENDED for each in left_out):
        return "only runs with a value that decides can be recommended"
    return "only completed runs can be recommended"


def _lines(
    overview: Overview, assessed: Mapping[str, Assessment | None], own: Assessment | None, *, has_alike: bool
) -> tuple[Line, ...]:
    grounds = overview.grounds
    decision = grounds.decision
    if not overview.is_recommended:
        return Line("Why", why_none(grounds)), Line("So far", (grounds.leader,) if grounds.leader else ())
    if overview.headline.kind is HeadlineKind.NOT_COMPARABLE:
        offer = ("Select runs of one kind; the button below finds some.",) if has_alike else ()
        return Line("Why", why(overview)), Line("To decide", offer)
    note = checkpoint_note(own.checkpoint) if own is not None else ""
    against_it = Line("Against", against(overview), None if overview.strongest is None else overview.strongest.place)
    return (
        Line("Why", why(overview)),
        Line("To decide", to_decide(decision, assessed, grounds.labels)),
        against_it,
        Line("Checkpoint", (note,) if note else ()),
    )
