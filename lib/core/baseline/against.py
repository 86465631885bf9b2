"""What runs may be compared with the baseline by: whether their values mean the same, and how far noise reaches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from lib.core.aspects.facts import Agreement
from lib.core.baseline.differences import Difference, Sense, difference, has_share, is_percentage
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.metrics import Better, metric_of
from lib.core.facts.runs import RunSummary
from lib.core.noise.best_set import Compared
from lib.core.ranking.comparability import Pairs
from lib.core.ranking.deciding import RunMetrics
from lib.core.ranking.decision import Decision
from lib.core.ranking.metric_names import EVAL_LOSS, follows_from_loss, is_candidate, is_reward
from lib.core.ranking.noise_band import noise_band
from lib.core.ranking.standing import Contest, contest
from lib.core.verdict.comparability import aspect_names

NOT_KNOWN_TO_COMPARE = "too little is recorded to tell whether they compare"


class Baseline:
    """One of the selected runs that the others are compared with. It changes no verdict.

    Shared: several threads may ask, and at worst work out the same twice.

    Args:
        run_id: Which one.
        label: What it is called.
        runs: All that are selected, with what their curves show put in.
        curves: By run id; runs may lack.
        decision: About these runs: what compares and what is noise is what it says.
        pairs: Of these runs; looked at anew where nobody has.
    """

    def __init__(
        self,
        run_id: str,
        label: str,
        runs: Sequence[RunSummary],
        curves: Mapping[str, RunCurves],
        decision: Decision,
        pairs: Pairs | None = None,
    ) -> None:
        self.run_id, self.label = run_id, label
        self._runs = {run.run_id: run for run in runs}
        self._curves, self._decision = curves, decision
        self._pairs = pairs or Pairs(runs, curves)
        self._contests: dict[tuple[str, str], Contest] = {}

    def apart(self, run_id: str, metric: str, *, of_loss: bool = False) -> str:
        """Why a run's values of a metric do not mean what the baseline's do, as the end of a sentence; "" if they may.

        What was not measured by evaluations, is no reward and follows from no loss, compares always.

        Args:
            run_id: The run.
            metric: Its name.
            of_loss: It follows from a loss, though its name does not say so.
        """
        of_loss = of_loss or follows_from_loss(metric)
        of_reward = is_reward(metric)
        if run_id == self.run_id or not (of_loss or of_reward or metric_of(metric).evaluated):
            return ""
        pair = self._pairs.of(run_id, self.run_id).counting(loss=of_loss, reward=of_reward)
        if pair.agreement is Agreement.DIFFERENT:
            return f"different {aspect_names(pair.decisive)}"
        decides = self._decision.deciding
        # Classes by what a loss or a reward is of say nothing of other metrics.
        is_parted = of_loss or of_reward or not (decides.follows_from_loss or decides.is_reward)
        return NOT_KNOWN_TO_COMPARE if is_parted and self._class_of(run_id) != self._class_of(self.run_id) else ""

    def _class_of(self, run_id: str) -> int:
        """The number of the class that a run is ranked in; that of the first for what stands beside it."""
        decision = self._decision
        for number, part in enumerate(decision.parts):
            if any(score.run_id == run_id for score in part.scores):
                return number
        return -1 if run_id in decision.alone else 0

    def difference(
        self,
        run_id: str,
        metric: str,
        value: float | None,
        base: float | None,
        better: Better | None,
        *,
        of_loss: bool = False,
    ) -> Difference | None:
        """How far a run's best value of a metric is from the baseline's.

        Args:
            run_id: The run.
            metric: Of which both are; its own name where it is of the table alone, such as "duration".
            value: The run's.
            base: The baseline's.
            better: Which direction of it is better; ``None`` where neither is, or it is not known.
            of_loss: As for ``apart``.

        Returns:
            ``None`` for the baseline itself, where a value is missing, and where both mean something else.
        """
        if run_id == self.run_id or self.apart(run_id, metric, of_loss=of_loss):
            return None
        in_points = is_percentage(metric, base)
        if in_points != is_percentage(metric, value):
            # One of both may be a share of 1.
            return None
        found = difference(value, base, better, has_share=has_share(metric), in_points=in_points)
        if found is None or found.sense not in (Sense.BETTER, Sense.WORSE) or not is_candidate(metric):
            return found
        return replace(found, sense=self._beyond_noise(run_id, metric, better, found.sense))

    def _beyond_noise(self, run_id: str, metric: str, better: Better | None, sense: Sense) -> Sense:
        """What a difference of best values means by what the verdict takes for noise; ``sense`` is what it seems."""
        compared = self._compared(run_id, metric, better)
        if compared is None:
            # Of runs that differ only in their seed, where these are the noise, the difference is that noise.
            return Sense.LEVEL if self._is_repeat(run_id, metric) else Sense.UNTOLD
        # Both are about lower values; where single best values and the estimates disagree, nothing is told apart.
        is_worse = compared.difference.value > compared.within
        is_better = -compared.difference.value > compared.within
        return sense if (is_worse if sense is Sense.WORSE else is_better) else Sense.LEVEL

    def within(self, run_id: str, metric: str, better: Better | None) -> float | None:
        """How far the best value of a metric may be from the baseline's by noise alone; ``None`` where nobody knows."""
        if run_id == self.run_id or not is_candidate(metric) or self.apart(run_id, metric):
            return None
        compared = self._compared(run_id, metric, better)
        return None if compared is None else compared.within

    def sense_of_loss(self, run_id: str, difference: float) -> Sense:
        """What a difference means of a value that follows from the eval loss, and is better where that is lower."""
        sense = Sense.WORSE if difference > 0.0 else Sense.BETTER
        return self._beyond_noise(run_id, EVAL_LOSS, "lower", sense)

    def score(self, run_id: str) -> Difference | None:
        """How far the score of a ranked run is from that of the baseline; ``None`` where one of both has none."""
        own, base = (self._decision.common_score(each) for each in (run_id, self.run_id))
        if own is None or base is None or own is base:
            return None
        return difference(own.total, base.total, "higher", noise_band(self._decision), has_share=False)

    def deciding(self, run_id: str) -> Difference | None:
        """How far a run is from the baseline in what decides about the baseline."""
        deciding, base = self._decision.shipped(self.run_id)
        own, values = self._decision.shipped(run_id)
        if deciding.metric is None or base is None or values is None or own.metric != deciding.metric:
            return None
        return self.difference(run_id, deciding.metric, values.value, base.value, deciding.better)

    @property
    def metric(self) -> str | None:
        """What decides about the baseline."""
        return self._decision.shipped(self.run_id)[0].metric

    @cached_property
    def reasons(self) -> Mapping[str, str]:
        """Why runs have no difference in what decides, by run id, as the end of a sentence; others are absent."""
        return dict(self._reasons())

    def _reasons(self) -> Iterator[tuple[str, str]]:
        metric = self.metric
        for run_id in self._runs:
            if run_id == self.run_id or self.deciding(run_id) is not None:
                continue
            apart = "" if metric is None else self.apart(run_id, metric)
            yield run_id, f"does not compare, {apart}" if apart else "one of both has no value"

    def _is_repeat(self, run_id: str, metric: str) -> bool:
        contests = (self._decision.contest, *self._decision.others)
        return any(self.run_id in each.repeats(run_id) for each in contests if self._holds(each, run_id, metric))

    def _holds(self, found: Contest, run_id: str, metric: str) -> bool:
        return found.metric == metric and {run_id, self.run_id} <= set(found.run_ids)

    def _compared(self, run_id: str, metric: str, better: Better | None) -> Compared | None:
        """The comparison that the verdict made of the two; one of these two alone where it made none."""
        for each in (self._decision.contest, *self._decision.others):
            if self._holds(each, run_id, metric):
                return each.compared(run_id, self.run_id)
        key = run_id, metric
        if key not in self._contests:
            both = {
                one: RunMetrics(self._runs[one], self._curves.get(one, RunCurves(one))) for one in (run_id, self.run_id)
            }
            self._contests[key] = contest(both, both, metric, better, {})
        return self._contests[key].compared(run_id, self.run_id)

    def better_of(self, metric: str) -> Better | None:
        """Which direction of a metric is better; ``None`` where neither is, or nobody knows."""
        known = {each.metric: each.better for part in self._decision.parts for each in part.deciding.candidates}
        deciding = self._decision.deciding
        return deciding.better if metric == deciding.metric else metric_of(metric).better or known.get(metric)
