"""The kinds of objections to a verdict, and their order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of objection.

    Attributes:
        code: Stable name.
        title: A few words for people.
        why: Why it stands where it does in ``KINDS``.
    """

    code: str
    title: str
    why: str


KINDS: tuple[Kind, ...] = (
    Kind("no_common_ranking", "no common ranking", "There is no scale on which the best of two classes compare."),
    Kind("alone", "no competition", "A ranking of one says nothing."),
    Kind("unread", "curves not read", "Nothing could be checked of what was not read."),
    Kind("winner_data", "its data contradict themselves", "A verdict is no better than the values that it rests on."),
    Kind("winner_health", "its training broke down", "Its loss says little about a model that diverged or met NaN."),
    Kind("leakage", "possible leakage", "Its eval loss may be of data that it was trained on."),
    Kind("rival_data", "a close rival's data contradict themselves", "The rival's true place may be the first."),
    Kind("losses_unlike", "not known to be the same loss", "Losses of other data or methods do not compare."),
    Kind("tie", "lead within the noise", "The order may be chance, but the values are what they are."),
    Kind("noise_unknown", "noise unknown", "Whether the order is chance cannot be told."),
    Kind("lower_loss_beyond_noise", "a lower eval loss elsewhere", "The measured quality of a rival is truly better."),
    Kind("rival_ahead", "an unfinished run is ahead", "It will be recommended if it ends now."),
    Kind("checkpoint_missing", "its best checkpoint is gone", "What can be shipped is not what was measured."),
    Kind("winner_doubts", "doubts about its data", "Values are missing or disagree, yet not where it counts most."),
    Kind("rival_doubts", "doubts about a close rival's data", "The same, one step removed."),
    Kind("negative_gap_open", "its negative gap", "Leakage is possible, and so are ordinary causes."),
    Kind("comparability_open", "comparability not fully recorded", "A difference would shift losses, not turn them."),
    Kind("comparability_caution", "a difference that may matter", "It matters for some of the data only."),
    Kind("narrow_weights", "hangs on the weights", "The weights are a choice, and this one is close to the edge."),
    Kind("lower_loss", "a lower eval loss elsewhere", "The difference may be chance, or its gap outweighs it."),
    Kind("overfitting", "overfitting", "The best checkpoint is from before; later ones are worse."),
    Kind("may_overtake", "an unfinished run", "It is behind now, and may not stay there."),
    Kind("winner_warnings", "warnings about its training", "Its result is what it is; how it came about may matter."),
)
"""The order of objections, the strongest first: what makes the verdict empty, what makes its values wrong, what makes
its order chance, what would turn it, and what to know besides."""

_RANKS = {kind.code: rank for rank, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class Objection:
    """One thing that speaks against a verdict.

    Attributes:
        code: Which of ``KINDS``.
        sentence: For people; "it" is the recommended run.
        run_id: The run it is about; ``None`` for all.
    """

    code: str
    sentence: str
    run_id: str | None = None

    @property
    def rank(self) -> int:
        """Its place in ``KINDS``, 0 for the strongest."""
        return _RANKS[self.code]

    @property
    def title(self) -> str:
        """A few words for people."""
        return KINDS[self.rank].title
