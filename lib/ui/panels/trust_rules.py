"""When to trust the score: the rules of what stands beside it, with the constants that the code uses."""

from __future__ import annotations

from lib.core.noise.best_set import LEVEL, WINNER_ERROR_SHARE
from lib.core.noise.estimate import PARABOLA_POINTS
from lib.core.noise.settled import WINDOW
from lib.core.noise.smoothing import MIN_POINTS
from lib.core.noise.train_window import MIN_TRAIN_POINTS
from lib.core.verdict.comparability import ASPECT_WORDS, aspect_names
from lib.core.verdict.objection_kinds import KINDS, Sureness
from lib.core.verdict.objections import ESSENTIAL_ASPECTS, NARROW_WEIGHT
from lib.core.verdict.sureness import MANY_DOUBTS
from lib.ui.panels.prose import prose, table


def trust_rules() -> str:
    """The rules as HTML."""
    objections = [(kind.title, kind.cap.value, kind.why) for kind in KINDS]
    return prose("\n\n".join((_comparability(), _tie(), _flip(), _panel(), _sureness()))) + table(
        ("Objection", "At most", "Why it stands here"), objections, (34, 16, 50)
    )


def _comparability() -> str:
    always, of_loss, of_reward = (
        "\n".join(
            f"- **{words.title}**: {words.why}."
            for aspect, words in ASPECT_WORDS.items()
            if (aspect.of_loss, aspect.of_reward) == only
        )
        for only in ((False, False), (True, False), (False, True))
    )
    return (
        "**Comparability.** Runs are ranked only with runs whose evaluations mean the same. Two runs are in one class"
        " where no other run tells them apart: the runs that each is known to differ from are the same ones. What is"
        " not recorded is neither the same nor different; it is said that it cannot be told, and the runs stay"
        " together. What a configuration says of the method gives way to the names of the metrics that were logged."
        " Compared are, as far as they matter for the method:\n\n"
        f"{always}\n\n"
        "And, where a loss decides:\n\n"
        f"{of_loss}\n\nAnd, where a reward does:\n\n{of_reward}\n\n"
        "The class with most runs is ranked; of several such the headline says that the runs are not comparable."
        " Across classes only one figure may stand side by side: by which share"
        " of its own first evaluation a run lowered its eval loss. It is not a ranking."
    )


def _tie() -> str:
    return (
        "**Winner or tie.** The noise of a run is how much the deciding metric varies from one evaluation to the next"
        f" about a smooth trend, in the {WINDOW} evaluations around the best; {MIN_POINTS} evaluations are needed, and"
        f" with fewer than {PARABOLA_POINTS} a lead is {Sureness.LIKELY.value} at most. The best of many noisy values"
        " is"
        " too good by luck, which is taken off. What runs have in common that were evaluated at the same steps is taken"
        " off, too. A rival may be as good as the recommended run where the losses and gaps that both may have, at the"
        f" {LEVEL:.0%} level, give composites that meet: then it is a tie. The error of a gap is that of both losses;"
        f" that of the train loss takes {MIN_TRAIN_POINTS} values up to the best step. Runs that are truly equal get a"
        f" winner in at most {(1 - LEVEL) * WINNER_ERROR_SHARE:.0%} of cases, as long as the noise does not last over"
        " many evaluations. Where runs that differ only in their seeds are among the selected, settings are compared,"
        " by how far such runs lie apart and by what their evaluations leave open: of the settings that win the run"
        " with the best score is recommended. Of runs that tie, the star marks the first."
    )


def _flip() -> str:
    return (
        "**What would flip it.** Composites are linear in the eval weight, so the weights with which a run stays the"
        " recommended one are an interval, which is worked out in closed form. The smallest changes of the runner-up's"
        " eval loss or gap that would make it win are searched for with the score itself: a lower loss than all others"
        " takes points from these."
    )


def _panel() -> str:
    return (
        "**The panel** says why with the numbers that decide: those of the recommended run and of the runner-up."
        " Against it stands the strongest objection that the headline does not say already. In the ranking the shaded"
        " band is how far noise alone could put a run behind, one for all runs: who ends inside is level. Each run is"
        " compared for itself; one that ends inside and is told apart all the same is marked so."
    )


def _sureness() -> str:
    essential = aspect_names(aspect for aspect in ASPECT_WORDS if aspect in ESSENTIAL_ASPECTS)
    return (
        f"**How sure.** A verdict starts as {Sureness.SURE}. Each objection lowers it to what the table allows, and"
        f" {MANY_DOUBTS} objections that each leave it {Sureness.FAIRLY_SURE} make it {Sureness.UNSURE}; nothing makes"
        f" it surer. It hangs on the weights where another run wins within {NARROW_WEIGHT:.2f} of the eval weight."
        f" Losses are not known to be the same where it is open for {essential}. The strongest objection comes first:"
    )
