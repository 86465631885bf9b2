"""``--as``: metrics that are read otherwise than they were taken for, as the page's correction and its links say it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.errors import AppError
from lib.core.facts.foreign import isolated
from lib.core.facts.metrics import METRICS
from lib.core.facts.readings import readings
from lib.core.facts.runs import RunSummary
from lib.data.formats.assembly import renamed


class WrongReading(AppError):
    """What ``--as`` says is no reading, or of no metric that can be read otherwise."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What is to be read as what.

    Attributes:
        names: By the name that a program gave, one of our metrics; "" for none.
    """

    names: Mapping[str, str]

    def check(self, runs: Sequence[RunSummary], curves: Mapping[str, RunCurves]) -> None:
        """See whether each name is of a metric that can be read otherwise, in one run at least.

        Raises:
            WrongReading: If it is not, with those that can.
        """
        known = {name for run in runs for name in _readable(run, curves[run.run_id])}
        for name in self.names:
            if name not in known:
                raise WrongReading(
                    f"Expected a metric that was guessed, or is none of ours, for --as, got {isolated(name)}.",
                    hint=f"These can be read otherwise: {', '.join(map(isolated, sorted(known))) or 'none'}",
                )

    def of(self, run: RunSummary, curves: RunCurves) -> tuple[RunSummary, RunCurves]:
        """A run read so; what it was sure of stays."""
        may = _readable(run, curves)
        said = {name: metric for name, metric in self.names.items() if name in may}
        return renamed(run, curves, said) if said else (run, curves)


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the argument."""
    parser.add_argument(
        "--as",
        action="append",
        default=[],
        dest="read_as",
        metavar="NAME~METRIC",
        help="read a logged metric as one of the app's, such as mlm_loss~eval_loss, or as none of them (mlm_loss~); "
        "may be repeated",
    )


def asked(texts: Sequence[str]) -> Readings:
    """What the argument says.

    Raises:
        WrongReading: If that makes no sense.
    """
    try:
        return Readings(dict(readings(texts)))
    except ValueError as error:
        logged = ", ".join(key for key, metric in METRICS.items() if not metric.derived_from)
        raise WrongReading(
            f"Expected a logged name, a tilde, and a metric or nothing for --as, got {isolated(' '.join(texts))}.",
            hint=f"The metrics are: {logged}",
        ) from error


def _readable(run: RunSummary, curves: RunCurves) -> set[str]:
    """The names of metrics that were guessed, and of those that are none of ours."""
    named = {each.metric: each.name for each in run.read_as}
    guessed = {each.name for each in run.read_as if each.guessed and each.metric in curves.curves}
    return guessed | {named.get(key, key) for key in curves.curves if key not in METRICS}
