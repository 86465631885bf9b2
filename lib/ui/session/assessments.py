"""What is worked out about each selected run, once for what was read of it."""

from __future__ import annotations

from datetime import UTC, datetime

from lib.core.checks.results import Results
from lib.core.verdict.assessment import Assessment, assess
from lib.ui.session.comparison import ComparedRun


def assessment_of(each: ComparedRun) -> Assessment | None:
    """What is worked out about a run; ``None`` where its curves could not be read."""
    data = each.data
    if data is None:
        return None
    # A silent run is noticed when it is looked at anew, after some minutes.
    return each.computed(
        "assessment",
        (),
        lambda: assess(each.stored, each.run, data.curves, data.evidence, datetime.now(UTC)),
    )


def checks_of_run(each: ComparedRun) -> Results | None:
    """What all checks of a run came to; ``None`` where its curves could not be read."""
    assessment = assessment_of(each)
    return None if assessment is None else assessment.checks
