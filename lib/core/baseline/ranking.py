"""How far each run of a ranking is from the baseline in what decides, in words: the same on the page and in reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lib.core.baseline.against import Baseline
from lib.core.baseline.differences import Difference, Sense
from lib.core.baseline.words import Show, difference_sentence, difference_words, sensed, shown_by
from lib.core.ranking.decision import Decision
from lib.core.ranking.metric_names import REWARD
from lib.core.text.formatting import LOSS_SPEC
from lib.core.verdict.metric_words import metric_name, values_shown


@dataclass(frozen=True, slots=True)
class ToBaseline:
    """One run.

    Attributes:
        words: Difference, percentage and what it means; "baseline" for that itself, "" where there is none.
        sense: What it means.
        sentence: The same in full, or why there is none.
        found: The numbers; ``None`` where there are none.
    """

    words: str
    sense: Sense
    sentence: str
    found: Difference | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """All runs of a ranking.

    Attributes:
        run_id: The baseline.
        name: What it is called.
        metric: Of what the differences are, in words.
        title: Of a column.
        note: What is in it.
        runs: By run id.
        labels: What they are called.
    """

    run_id: str
    name: str
    metric: str
    title: str
    note: str
    runs: Mapping[str, ToBaseline]
    labels: Mapping[str, str]

    @property
    def lines(self) -> tuple[str, ...]:
        """What a reader has to know besides: what the baseline is, and why runs have no difference to it."""
        lacking = (f"{self.labels[run_id]}: {each.sentence}" for run_id, each in self.runs.items() if not each.words)
        return (f"Baseline: {self.name}, which the verdict does not depend on.", self.note, *lacking)


def beside(baseline: Baseline, decision: Decision, labels: Mapping[str, str], name: str | None = None) -> Beside:
    """Put the differences of these runs into words.

    Args:
        baseline: What they are compared with.
        decision: About them.
        labels: What they are called, by run id.
        name: What the baseline is called in sentences; its label where nothing else is said.
    """
    name = baseline.label if name is None else name
    words = "reward" if baseline.metric == REWARD else metric_name(baseline.metric)
    show = _show(decision)
    runs = {run_id: _of(baseline, run_id, name, show) for run_id in labels}
    return Beside(
        baseline.run_id,
        name,
        words,
        f"{words[:1].upper()}{words[1:]} to baseline",
        f"Differences of {words} to the baseline. Level: within the noise.",
        runs,
        labels,
    )


def _show(decision: Decision) -> Show:
    """What writes differences: with the decimals that the values of what decides have."""
    texts = [text for text in values_shown(decision).values() if "e" not in text]
    decimals = max((len(text.partition(".")[2]) for text in texts), default=4)
    return shown_by(LOSS_SPEC, decimals)


def _of(baseline: Baseline, run_id: str, name: str, show: Show) -> ToBaseline:
    if run_id == baseline.run_id:
        return ToBaseline("baseline", Sense.NEITHER, "The baseline.")
    found = baseline.deciding(run_id)
    if found is None:
        return ToBaseline("", Sense.NEITHER, f"No difference to {name}: {baseline.reasons[run_id]}.")
    words = sensed(difference_words(found, show), found.sense)
    return ToBaseline(words, found.sense, difference_sentence(found, show, name), found)
