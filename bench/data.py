"""The data path, from a source to the points that the charts get, beside its floor.

    python -m bench.data [--steps 1000 20000 100000 1000000] [--rounds 7] [--no-database] [--series 1000]

Five runs of six metrics that are logged at every step, read as the page reads them: one run after the other, or, from
a database, each in a thread. The floor is the same Parquet columns read by pyarrow and reduced by
tsdownsample's M4, in turn with the app in one process; a folder's floor is ``json.loads`` of its files. "judged" is
what the page works out of the curves besides, "charts" the data of six charts, "cached" the curves out of the app's
cache and their reduction. Memory is measured in a process of its own. At last a search for extremes that got lost.
Prints tables and writes bench/results/data.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tsdownsample import M4Downsampler

from bench.database import timed
from bench.lost_extremes import lost_extremes
from bench.report import say_load, write
from bench.run_files import SIX, insert, long_run, run_id, write_parquet, write_states
from lib.charts.datasets import chart_data
from lib.charts.drawn import Curve, View
from lib.core.curves.metric_curves import RunCurves
from lib.core.curves.series import POINTS_PER_BUCKET, reduce_indices
from lib.core.facts.runs import RunSummary
from lib.data.demo.source import EmbeddedSource
from lib.data.folder.source import FolderSource
from lib.data.source import RunSource
from lib.data.supabase.source import SupabaseSource
from lib.ui.charts.request import BUCKETS, HOVER_POSITIONS
from lib.ui.session import reads, run_data
from lib.ui.session.assessments import assessment_of
from lib.ui.session.comparison import ComparedRun
from tests.forgetting import forget_reads
from tests.supabase.readers import project_for, reader_for
from tests.supabase.stack import Stack

T = TypeVar("T")

RUNS = [RunSummary(run_id=run_id(number), name="bench") for number in range(5)]
COLUMNS = ["id", "step", "epoch", *SIX, "timestamp"]
"""What the app reads of a file in which each run has row groups of its own."""
WIDTH = 120
LONGEST = {"folder": 100_000, "database": 100_000}
"""Files of JSON, and rows one by one, are not made for more."""


class Clock:
    """Collects milliseconds by name."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}

    def __call__(self, name: str, work: Callable[[], T]) -> T:
        start = time.perf_counter()
        done = work()
        self.times.setdefault(name, []).append(1000 * (time.perf_counter() - start))
        return done

    def add_up(self, whole: str, *parts: str) -> None:
        """Add a name whose every time is the sum of others of the same round."""
        self.times[whole] = [sum(each) for each in zip(*(self.times[part] for part in parts), strict=True)]


def read(source: RunSource, run: RunSummary) -> RunCurves:
    """The curves of a run, asked for as the page asks."""
    found = source.load_curves([run.run_id], run_data.FIRST_METRICS, buckets=run_data.SOURCE_BUCKETS)
    assert set(found[run.run_id].curves) == set(SIX)
    return found[run.run_id]


def reduce_all(runs: Sequence[RunCurves]) -> list[np.ndarray]:
    """Which points of every curve a chart gets."""
    return [reduce_indices(curve.step, curve.value, WIDTH) for run in runs for curve in run.curves.values()]


def charts(runs: Sequence[RunCurves]) -> None:
    """The data of a wide chart and of five of half the width."""
    for metric in SIX:
        wide = metric == "train_loss"
        drawn = [
            Curve(run.run_id, slot, run.get(metric).step, run.get(metric).value, ".4g") for slot, run in enumerate(runs)
        ]
        chart_data(drawn, View("Step", buckets=BUCKETS[wide], hover_positions=HOVER_POSITIONS[wide]))


def judge(runs: Sequence[RunCurves]) -> None:
    """What the page says of the runs."""
    for run, curves in zip(RUNS, runs, strict=True):
        data = run_data.data_of(curves, run)
        assessment_of(ComparedRun(run, run, "bench", "#000000", 0, data, key=run.run_id))


def floor_read(path: Path) -> list[pa.Table]:
    """The columns of each run, as plainly as pyarrow can read them."""
    with pq.ParquetFile(path) as file:
        return [file.read_row_group(number, COLUMNS) for number in range(len(RUNS))]


def floor_reduce(tables: Sequence[pa.Table]) -> None:
    """The points that tsdownsample's M4 keeps of every curve."""
    for table in tables:
        step = table["step"].to_numpy()
        for metric in SIX:
            M4Downsampler().downsample(step, table[metric].to_numpy(), n_out=POINTS_PER_BUCKET * WIDTH)


def embedded(path: Path, rounds: int) -> dict[str, list[float]]:
    """The app and the floor in turn; the app's caches are empty each time."""
    clock = Clock()
    for _ in range(rounds):
        forget_reads()
        source = EmbeddedSource(path, path)
        curves = clock("read", lambda source=source: [read(source, run) for run in RUNS])
        clock("reduce", lambda curves=curves: reduce_all(curves))
        tables = clock("floor read", lambda: floor_read(path))
        clock("floor reduce", lambda tables=tables: floor_reduce(tables))
        clock("judged", lambda curves=curves: judge(curves))
        clock("charts", lambda curves=curves: charts(curves))
        del curves, tables
        for run in RUNS:
            reads.load_data(source, run)
        warm = lambda source=source: reduce_all([reads.load_data(source, run).curves for run in RUNS])  # noqa: E731
        clock("cached", warm)
    clock.add_up("whole", "read", "reduce")
    clock.add_up("floor", "floor read", "floor reduce")
    return clock.times


def folder(root: Path, files: Sequence[Path], rounds: int) -> dict[str, list[float]]:
    """A folder that nobody has looked into before."""
    clock = Clock()
    for _ in range(rounds):
        source = FolderSource(root)
        curves = clock("read", lambda source=source: [read(source, run) for run in RUNS])
        clock("reduce", lambda curves=curves: reduce_all(curves))
        clock("floor read", lambda: [json.loads(file.read_bytes()) for file in files])
        again = lambda source=source: reduce_all([read(source, run) for run in RUNS])  # noqa: E731
        clock("cached", again)
    clock.add_up("whole", "read", "reduce")
    clock.times["floor"] = clock.times["floor read"]
    return clock.times


def database(stack: Stack, steps: int, tables: Sequence[pa.Table], rounds: int) -> dict[str, dict[str, Any]]:
    """By rows and by the function of the migration; and what is new of running runs, one row each."""
    project = stack.project(f"steps_{steps}", migrated=True, seeded=False)
    insert(project, tables)
    measured: dict[str, dict[str, Any]] = {}
    with project_for(project, timeout_s=60.0) as connections, ThreadPoolExecutor(len(RUNS)) as threads:
        source = SupabaseSource(connections, reader_for(connections, project, "ann"))
        last = {run.run_id: steps - 1 for run in RUNS}
        ways: dict[str, Callable[[], list[RunCurves]]] = {
            "rows": lambda: list(threads.map(lambda run: source.load_curves([run.run_id])[run.run_id], RUNS)),
            "function": lambda: list(threads.map(lambda run: read(source, run), RUNS)),
            "news": lambda: list(source.load_new_curves(list(last), last).values()),
        }
        for name, way in ways.items():
            clock, costs = Clock(), {}
            for _ in range(rounds):
                curves: list[RunCurves] = []
                costs = timed(project, lambda way=way, clock=clock, curves=curves: curves.extend(clock("read", way)))
                clock("reduce", lambda curves=curves: reduce_all(curves))
            clock.add_up("whole", "read", "reduce")
            measured[name] = clock.times | {"megabytes": costs["megabytes"], "requests": costs["requests"]}
    stack.remove(project)
    return measured


def memory(path: Path) -> dict[str, float]:
    """In a fresh process: how far reading and reducing raises it, over the bytes of the columns read."""
    code = f"from bench.data import grown; grown({str(path)!r})"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return json.loads(ran.stdout.splitlines()[-1])


def grown(path: str) -> None:
    """Print, as JSON, bytes by which the process grew at its height, Arrow's part, and those of the columns."""
    file = Path(path)
    # What is loaded with the first file is no part of the curves.
    small = file.with_name("first.parquet")
    reduce_all([read(EmbeddedSource(small, small), run) for run in RUNS])
    before = _status("VmRSS")
    curves = [read(EmbeddedSource(file, file), run) for run in RUNS]
    reduce_all(curves)
    peak, arrow = _status("VmHWM") - before, pa.default_memory_pool().max_memory()
    del curves
    columns = sum(table.nbytes for table in floor_read(file))
    print(json.dumps({"peak": peak, "arrow": arrow, "columns": columns}))


def _status(name: str) -> int:
    """A size of this process in bytes. Linux only; the peak that ``resource`` knows is inherited from the parent."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name + ":"))
    return 1024 * int(line.split()[1])


def report(way: str, steps: int, times: Mapping[str, Any]) -> None:
    """One line of the table."""

    def cell(name: str) -> str:
        return f"{statistics.median(times[name]):10.1f}" if name in times else " " * 10

    ratio = ""
    if "floor" in times:
        ratio = f"{statistics.median(times['whole']) / statistics.median(times['floor']):7.2f}"
    sent = f"  {times['megabytes']:8.3f} MB, {times['requests']} requests" if "megabytes" in times else ""
    before = "".join(map(cell, ("read", "reduce", "whole", "floor read", "floor reduce", "floor")))
    print(f"{way:20}{steps:>10,}{before}{ratio:>7}{''.join(map(cell, ('judged', 'charts', 'cached')))}{sent}")
    if "memory" in times:
        grew, arrow, columns = (times["memory"][name] / 1e6 for name in ("peak", "arrow", "columns"))
        print(
            f"{'':20}the process grew by {grew:.1f} MB (Arrow's memory {arrow:.1f} MB), "
            f"{grew / columns:.2f} of the columns read ({columns:.1f} MB)"
        )
    sys.stdout.flush()


def measure(options: argparse.Namespace, work: Path, stack: Stack | None) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Way, steps and times of everything that is asked for."""
    write_parquet(work / "first.parquet", (long_run(number, 10) for number in range(len(RUNS))))
    for steps in options.steps:
        path = work / f"{steps}.parquet"
        # One run at a time: of the longest, five at once would be in the way of what is measured.
        write_parquet(path, (long_run(number, steps) for number in range(len(RUNS))))
        rounds = options.rounds if steps <= 100_000 else min(options.rounds, 5)
        yield "embedded", steps, embedded(path, rounds) | {"memory": memory(path)}
        tables = [long_run(number, steps) for number in range(len(RUNS))] if steps <= 100_000 else []
        rounds = min(options.rounds, 3)
        if steps <= LONGEST["folder"]:
            files = write_states(work / f"folder {steps}", tables)
            yield "folder", steps, folder(work / f"folder {steps}", files, rounds)
        if stack is not None and steps <= LONGEST["database"]:
            for way, times in database(stack, steps, tables, rounds).items():
                yield f"database, {way}", steps, times


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the runs, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, nargs="*", default=[1_000, 20_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--no-database", action="store_true")
    options = parser.parse_args(arguments)
    say_load()
    stack = None if options.no_database else Stack()
    results: dict[str, Any] = {"paths": []}
    heads = ("read", "reduce", "whole", "floor read", "fl. reduce", "floor")
    print(f"{'ms, 5 runs, 6 curves':20}{'steps':>10}{''.join(f'{head:>10}' for head in heads)}", end="")
    print(f"{'ratio':>7}{'judged':>10}{'charts':>10}{'cached':>10}", flush=True)
    try:
        if stack is not None:
            stack.start()
        with tempfile.TemporaryDirectory() as folder_name:
            for way, steps, times in measure(options, Path(folder_name), stack):
                report(way, steps, times)
                results["paths"].append({"way": way, "steps": steps, **times})
            found = lost_extremes(stack, options.series, Path(folder_name)) if options.series else {}
    finally:
        if stack is not None:
            stack.stop()
    for way, counted in found.items():
        print(
            f"{way}: {counted['series']:,} series, {counted['points']:,} points read", *counted["lost"][:5], sep="\n  "
        )
    print(f"lost extremes: {sum(len(counted['lost']) for counted in found.values())}")
    write("data", results | {"extremes": found})


if __name__ == "__main__":
    main()
