"""The kinds of defects, each in a small, a middle and a large size where it has one, and whether they are found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench import planted_defects as defects
from bench.simulated_runs import SimulatedRun, Traits, clean_run
from lib.core.checks.check import Group
from lib.core.facts.runs import RunStatus

Plant = Callable[[SimulatedRun, np.random.Generator, Any], tuple[SimulatedRun, int | None]]
"""Takes a clean run and a size; gives the run with the defect, and its first step where it has one."""


ANY = Traits()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of defect.

    Attributes:
        code: The check that must find it.
        plant: Puts it into a run.
        sizes: Small, middle and large; a single one where the kind has no size.
        traits: What a run must be like to have it.
    """

    code: str
    plant: Plant
    sizes: tuple[Any, ...] = (None,)
    traits: Traits = ANY

    @property
    def middle(self) -> Any:
        """The size at which it must be found."""
        return self.sizes[len(self.sizes) // 2]


SIZE_NAMES = ("small", "middle", "large")


def planted(kind: Kind, size: Any, seed: int) -> tuple[SimulatedRun, int | None]:
    """A run with a defect of one kind and size, and the first step of the defect."""
    random = np.random.default_rng([seed, *kind.code.encode()])
    return kind.plant(clean_run(random, kind.traits), random, size)


def alarms(seed: int) -> list[str]:
    """The codes of what the checks of its data find in a clean run; each is a false alarm."""
    return [finding.code for finding in clean_run(np.random.default_rng(seed)).checks().findings_in(Group.DATA)]


def recognised(kind: Kind, size: Any, seed: int) -> tuple[bool, float | None]:
    """Whether a planted defect is found, and by how many logging intervals its first step is missed."""
    run, step = planted(kind, size, seed)
    found = next((finding for finding in run.checks().findings if finding.code == kind.code), None)
    if found is None or step is None:
        return found is not None, None
    return True, float("inf") if found.step is None else abs(found.step - step) / run.interval


_TIMED = Traits(timed=True, status=RunStatus.COMPLETED)
_EVALUATED = Traits(evaluated=True, evaluations=5)
_MANY_EVALUATIONS = Traits(evaluated=True, evaluations=16, points=(150, 1500))
_FAST = Traits(throughput=True)
_LONG = Traits(points=(60, 1500))

KINDS: tuple[Kind, ...] = (
    Kind("rows_missing", defects.rows_missing, (1, 0.03, 0.3)),
    Kind("rows_unplaced", defects.rows_unplaced, (1, 5, 50)),
    Kind("values_rewritten", defects.values_rewritten, (1, 10, 100)),
    Kind("steps_backwards", defects.steps_backwards, (1, 10, 100)),
    Kind("logging_gap", defects.logging_gap, (2, 6, 0.3), _LONG),
    Kind("begins_late", defects.begins_late, (2, 6, 0.3), _LONG),
    Kind("ends_early", defects.ends_early, (0.005, 0.15, 0.5), Traits(status=RunStatus.COMPLETED)),
    Kind("stale_train_loss", defects.stale_train_loss, (3, 10, 50)),
    Kind("stale_train_loss", defects.each_repeated, (2, 3, 8), Traits(points=(80, 1500), decimals=(6, 16))),
    Kind("implausible_train_loss", defects.implausible_train_loss, (2, 8, 64), _MANY_EVALUATIONS),
    Kind("evaluations_absent", defects.evaluations_absent, traits=_EVALUATED),
    Kind("evaluations_end_early", defects.evaluations_end_early, (1, 0.5, 0.9), _MANY_EVALUATIONS),
    Kind("evaluation_gap", defects.evaluation_gap, (1, 4, 0.4), _MANY_EVALUATIONS),
    Kind("stale_evaluations", defects.stale_evaluations, (0.2, 1.0, 1.0), Traits(evaluated=True, points=(150, 1500))),
    Kind("clock_backwards", defects.clock_backwards, (0.5, 600.0, 86_400.0), _TIMED),
    Kind("reporting_gap", defects.clock_pause, (120.0, 21_600.0, 259_200.0), _TIMED),
    Kind("nonfinite_value", defects.nonfinite_values, (1, 5, 50), _EVALUATED),
    Kind("epochs_backwards", defects.epochs_backwards, (0.005, 0.5, 2.0), Traits(epochs="fractional")),
    Kind("stored_best_loss", defects.stored_best_loss, (2e-5, 0.01, 0.2), _EVALUATED),
    Kind("stored_best_step", defects.stored_best_step, traits=_EVALUATED),
    Kind("stored_learning_rate", defects.stored_learning_rate, (0.8, 0.1, 0.0)),
    Kind("throughput_missing", defects.throughput_missing, traits=_FAST),
    Kind("throughput_is_steps", defects.throughput_is_steps, (2, 16, 128), _FAST),
    Kind("current_step_differs", defects.current_step_differs, (1, 0.15, 0.5), _LONG),
    Kind("failed_at_the_end", defects.failed_at_the_end, traits=Traits(status=RunStatus.COMPLETED)),
    Kind(
        "stalled",
        defects.silent_while_running,
        (300.0, 7_200.0, 432_000.0),
        Traits(status=RunStatus.RUNNING),
    ),
    Kind("end_not_recorded", defects.end_not_recorded, traits=_TIMED),
    Kind("ends_before_start", defects.ends_before_start, (1.0, 3_600.0, 259_200.0), _TIMED),
    Kind("rows_outside_run", defects.rows_outside_run, (600.0, 7_200.0, 43_200.0), _TIMED),
    Kind("duration_includes_queueing", defects.duration_includes_queueing, (120.0, 0.2, 5.0), _TIMED),
    Kind("log_missing", defects.log_missing, traits=Traits(status=RunStatus.COMPLETED)),
)
