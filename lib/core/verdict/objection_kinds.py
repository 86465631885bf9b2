"""The kinds of objections to a verdict, their order, and how sure a verdict can be in spite of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Sureness(StrEnum):
    """How sure, the surest first. A tie and "cannot tell" are verdicts of their own, and claim least."""

    SURE = "sure"
    FAIRLY_SURE = "fairly sure"
    LIKELY = "likely"
    UNSURE = "unsure"
    TIE = "tie"
    CANNOT_TELL = "cannot tell"

    @property
    def rank(self) -> int:
        """0 for the surest."""
        return list(Sureness).index(self)

    @property
    def words(self) -> str:
        """For people, where it stands alone."""
        return "cannot tell how sure" if self is Sureness.CANNOT_TELL else self.value


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of objection.

    Attributes:
        code: Stable name.
        cap: The surest that a verdict can be with it. Unsure: the values, or that they compare, are in doubt. Fairly
            sure: the values hold, and something known could turn the order or the use of it; likely: so they do, and
            there are few of them. Sure: it is worth knowing, and does not touch who is first.
        title: A few words for people.
        why: Why it stands where it does in ``KINDS``.
    """

    code: str
    cap: Sureness
    title: str
    why: str


_SURE, _FAIRLY, _LIKELY, _UNSURE, _TIE, _OPEN = Sureness

KINDS: tuple[Kind, ...] = (
    Kind("winner_died", _UNSURE, "its training died",
         "Its last weights are no model, whatever was measured before; what is shipped must be older than that."),
    Kind("scales_unlike", _UNSURE, "scores of unlike scales", "A percentage is above every share of 1."),
    Kind("task_metric", _UNSURE, "a task metric says otherwise",
         "What the model is for is measured by the task, and a loss only stands for it."),
    Kind("unread", _UNSURE, "curves not read", "Nothing could be checked of what was not read."),
    Kind("winner_data", _UNSURE, "its data contradict themselves",
         "A verdict is no better than the values that it rests on."),
    Kind("winner_health", _UNSURE, "its training broke down",
         "Its loss says little about a model that diverged or met NaN."),
    Kind("leakage", _UNSURE, "possible leakage", "Its eval loss may be of data that it was trained on."),
    Kind("rival_data", _UNSURE, "a close rival's data contradict themselves",
         "The rival's true place may be the first."),
    Kind("never_better", _LIKELY, "never better than before training", "The base model would serve as well."),
    Kind("loss_risen", _FAIRLY, "its eval loss rose",
         "Its probabilities are much worse than they once were, whatever the metric that decides says."),
    Kind("checkpoint_missing", _FAIRLY, "its best checkpoint is gone", "What can be shipped is not what was measured."),
    Kind("lower_loss_beyond_noise", _FAIRLY, "a lower eval loss elsewhere",
         "The measured quality of a rival is truly better."),
    Kind("guessed", _FAIRLY, "a guess of which metric is which",
         "The values hold, but may be of another metric than the one that they are read as."),
    Kind("told_completed", _FAIRLY, "its end is not in the log",
         "A training that was cut off may have been about to turn."),
    Kind("rival_ahead", _FAIRLY, "an unfinished run is ahead", "It will be recommended if it ends now."),
    Kind("losses_unlike", _UNSURE, "method or data not recorded",
         "Values of other data or methods do not compare."),
    Kind("other_metric", _FAIRLY, "another metric says otherwise", "Which of the two counts is a choice."),
    Kind("winner_doubts", _FAIRLY, "doubts about its data",
         "Values are missing or disagree, yet not where it counts most."),
    Kind("rival_doubts", _FAIRLY, "doubts about a close rival's data", "The same, one step removed."),
    Kind("negative_gap_open", _FAIRLY, "its negative gap", "Leakage is possible, and so are ordinary causes."),
    Kind("few_evaluations", _LIKELY, "few evaluations", "Whether their noise lasts cannot be told from so few."),
    Kind("gap_error_unknown", _FAIRLY, "how far its gap is off", "A gap of few train losses may be of another band."),
    Kind("unchecked", _FAIRLY, "checks that could not be made",
         "What was not looked for may be there, though nothing says so."),
    Kind("comparability_open", _FAIRLY, "comparability not fully recorded",
         "A difference would shift losses, not turn them."),
    Kind("comparability_caution", _FAIRLY, "a difference that may matter", "It matters for some of the data only."),
    Kind("narrow_weights", _FAIRLY, "hangs on the weights",
         "The weights are a choice, and this one is close to the edge."),
    Kind("lower_loss", _SURE, "a lower eval loss elsewhere", "The difference may be chance, or its gap outweighs it."),
    Kind("overfitting", _SURE, "overfitting", "The best checkpoint is from before; later ones are worse."),
    Kind("may_overtake", _SURE, "an unfinished run", "It is behind now, and may not stay there."),
    Kind("winner_warnings", _SURE, "warnings about its training",
         "Its result is what it is; how it came about may matter."),
    Kind("no_common_ranking", _OPEN, "no common ranking",
         "There is no scale on which the best of two classes compare: the first line says so."),
    Kind("alone", _OPEN, "no competition", "A ranking of one says nothing: the first lines say so."),
    Kind("tie", _TIE, "lead within the noise", "The order may be chance: the first line says so."),
    Kind("noise_unknown", _OPEN, "noise unknown", "Whether the order is chance: the first lines say it."),
)  # fmt: skip
"""The order of objections, by how much they should worry whoever ships.

What makes the values of the verdict wrong; what is known to be wrong with the run or its weights, as these are shipped;
what is known to be better; what is not known, or disagrees without saying who is right; what hangs on a choice; what to
know besides. Last is what makes the verdict empty or its order chance: headline and sureness say it before the others.
"""

_RANKS = {kind.code: rank for rank, kind in enumerate(KINDS)}


def cap_of(code: str) -> Sureness:
    """The surest that a verdict can be with an objection of this kind."""
    return KINDS[_RANKS[code]].cap


@dataclass(frozen=True, slots=True)
class Objection:
    """One thing that speaks against a verdict.

    Attributes:
        code: Which of ``KINDS``.
        sentence: For people; "it" is the recommended run.
        count: Of how many things it is, where that is to stand in the place of the title wherever it lowers a verdict.
        brief: The same in few words, where ``sentence`` is not short.
        place: The step and the metric that it is about, where it names a step.
    """

    code: str
    sentence: str
    count: str = ""
    brief: str = ""
    place: tuple[int, str] | None = None

    @property
    def rank(self) -> int:
        """Its place in ``KINDS``, 0 for the strongest."""
        return _RANKS[self.code]

    @property
    def title(self) -> str:
        """A few words for people."""
        return KINDS[self.rank].title

    @property
    def short(self) -> str:
        """What is said at a glance."""
        return self.brief or self.sentence
