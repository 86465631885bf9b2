"""What is worked out about each selected run, once for what was read of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lib.core.checks.common_spikes import CommonSpikes, common_spikes, without_common
from lib.core.checks.results import Results
from lib.core.checks.stability import stability_of
from lib.core.verdict.assessment import Assessment, assess, shipping
from lib.ui.session.comparison import ComparedRun, Comparison

CHECKED_AT_ONCE = 500_000
"""Points of all runs together that are checked in a moment, some 0.2 s: nothing need wait for that."""


def are_checked(runs: Sequence[ComparedRun]) -> bool:
    """Whether the checks of these runs are made, or take but a moment."""
    left = [each.data for each in runs if not each.has_computed("assessment", ())]
    points = sum(len(curve) for data in left if data is not None for curve in data.curves.curves.values())
    return points <= CHECKED_AT_ONCE


def assessment_of(each: ComparedRun, runs: Sequence[ComparedRun]) -> Assessment | None:
    """What is worked out about one of the compared runs; ``None`` where its curves could not be read.

    Spikes that all of the runs have are no warnings of it.
    """
    own = _own(each)
    common = common_spikes_of(runs)
    if own is None or not common:
        return own
    lowered = without_common(own.checks, common)
    return replace(own, checks=lowered, stability=stability_of(lowered))


def checks_of_run(each: ComparedRun, runs: Sequence[ComparedRun]) -> Results | None:
    """What all checks of one of the compared runs came to; ``None`` where its curves could not be read."""
    assessment = assessment_of(each, runs)
    return None if assessment is None else assessment.checks


def shipped_assessments(comparison: Comparison) -> dict[str, Assessment | None]:
    """What is worked out about the compared runs, by run id, each with the checkpoint that the verdict would ship."""
    return comparison.computed("assessments", comparison.how, lambda: _shipped(comparison))


def _shipped(comparison: Comparison) -> dict[str, Assessment | None]:
    found: dict[str, Assessment | None] = {}
    for each in comparison.runs:
        own, data = assessment_of(each, comparison.runs), each.data
        if own is not None and data is not None:
            own = shipping(own, each.run, data.curves, data.evidence, comparison.decision)
        found[each.run.run_id] = own
    return found


def common_spikes_of(runs: Sequence[ComparedRun]) -> tuple[CommonSpikes, ...]:
    """The spikes that all of the runs have that could be read."""
    read = [(each, own) for each in runs if (own := _own(each)) is not None]
    if len(read) < 2:
        return ()
    stored = {each.run.run_id: each.stored for each, _ in read}
    # What the others are is no part of the version of the first.
    key = tuple(each.key for each, _ in read)
    return read[0][0].computed(
        "common spikes", key, lambda: common_spikes({each.run.run_id: own.checks for each, own in read}, stored)
    )


def _own(each: ComparedRun) -> Assessment | None:
    data = each.data
    if data is None:
        return None
    # A silent run is noticed when it is looked at anew, after some minutes.
    return each.computed(
        "assessment",
        (),
        lambda: assess(each.stored, each.run, data.curves, data.evidence, each.clock()),
    )
