"""Comparisons of runs that a test makes up."""

from __future__ import annotations

from lib.report.compared import Compared, judge
from tests.core.decided_runs import curves_by_id, run

__all__ = ["judged", "run"]


def judged(*runs, labels=None, noise=0.001, count=30, **how) -> Compared:
    """The comparison of these runs, whose curves are made up."""
    labels = labels or {each.run_id: each.run_id for each in runs}
    return judge(runs, curves_by_id(runs, noise, count), labels, None, **how)
