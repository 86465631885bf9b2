"""What a decision about five runs costs the processor, apart from reading them and from the page.

    python -m bench.decision [--folder FOLDER] [--rounds 20]

As a session does it: what follows from one run or from two is kept as long as the runs are. Two versions of the code
are compared by running each in turn (``PYTHONPATH``), as this machine's speed moves.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from itertools import combinations, cycle, islice

import lib  # noqa: F401  # says how many threads before numpy is imported

_START = time.process_time()

import numpy  # noqa: E402, F401
import pandas  # noqa: E402, F401

_LIBRARIES = time.process_time()

from bench.report import print_times, say_load  # noqa: E402
from lib.core.curves.evidence import evidence_of, with_evidence  # noqa: E402
from lib.core.curves.metric_curves import RunCurves  # noqa: E402
from lib.core.facts.query import RunQuery  # noqa: E402
from lib.core.facts.remember import Kept, Remember  # noqa: E402
from lib.core.facts.runs import RunStatus, RunSummary  # noqa: E402
from lib.core.facts.selection import MAX_SELECTED  # noqa: E402
from lib.core.ranking.decision import decide  # noqa: E402
from lib.core.ranking.policy import DEFAULT_POLICY  # noqa: E402
from lib.core.verdict.grounds import grounds_of  # noqa: E402

_OURS = time.process_time()

from lib.data.demo.source import EmbeddedSource  # noqa: E402
from lib.data.folder.source import FolderSource  # noqa: E402
from lib.data.source import RunSource  # noqa: E402


def completed_runs(source: RunSource) -> tuple[list[RunSummary], dict[str, RunCurves]]:
    """The completed runs of a source, with their evidence, and the curves of each."""
    listed = source.list_runs(RunQuery(limit=1000)).runs
    completed = [run for run in listed if run.status is RunStatus.COMPLETED]
    curves = source.load_curves([run.run_id for run in completed])
    return [with_evidence(run, evidence_of(curves[run.run_id])) for run in completed], dict(curves)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", help="of training outputs; the demo runs where none is named")
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    say_load()
    runs, curves = completed_runs(FolderSource(arguments.folder) if arguments.folder else EmbeddedSource())
    selections = list(islice(cycle(combinations(runs, MAX_SELECTED)), arguments.rounds))

    def cost(selection: Sequence[RunSummary], remember: Remember) -> float:
        """Of all threads, in milliseconds."""
        start = time.process_time()
        decision = decide(selection, curves, DEFAULT_POLICY, remember=remember)
        grounds_of(decision, selection, {run.run_id: run.name for run in selection})
        return 1000.0 * (time.process_time() - start)

    found = {
        "imports: numpy and pandas": [1000.0 * (_LIBRARIES - _START)],
        "imports: scipy and our own": [1000.0 * (_OURS - _LIBRARIES)],
        "first of the process": [cost(selections[0], Kept())],
        "nothing kept of the runs": [cost(each, Kept()) for each in selections],
        "one run put in place of another": [],
        "one run taken out": [],
        "the same runs again": [],
    }
    for number, selection in enumerate(selections):
        remember = Kept()
        # What is kept is that of the other four, and of the run that the fifth stands in for.
        left = next(run for run in runs[number % len(runs) :] + runs if run not in selection)
        cost((*selection[1:], left), remember)
        found["one run put in place of another"].append(cost(selection, remember))
        found["one run taken out"].append(cost(selection[1:], remember))
        found["the same runs again"].append(cost(selection, remember))
    print_times(found, "milliseconds of the processor", digits=1)


if __name__ == "__main__":
    main()
