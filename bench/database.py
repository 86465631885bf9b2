"""What reading from a Supabase project costs: the first charts out of a large table, and many who watch.

    python -m bench.database [--rows 20000000] [--sessions 50] [--seconds 60]

Starts a real PostgreSQL and PostgREST on this machine (``tests/supabase``), fills the metrics table,
and reads as a reader who has signed in, under row-level security. Database, gateway and reader share
the processors. Prints a table and writes bench/results/database.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lib.data.supabase.source import SupabaseSource
from lib.ui.session.run_data import FIRST_METRICS, SOURCE_BUCKETS
from tests.supabase.project import Project
from tests.supabase.readers import project_for, reader_for
from tests.supabase.stack import Stack

RESULTS = Path(__file__).parent / "results"
RUN_ROWS = 100_000
RUNS = 5
REFRESH_S = 5.0

FILL = """
insert into local_training_jobs (id, user_id, status, model_name)
  values ('{run}', '{owner}', '{status}', 'bench') on conflict do nothing;
insert into local_training_metrics (job_id, step, epoch, train_loss, eval_loss, perplexity, learning_rate, grad_norm,
    tokens_per_second, samples_per_second, gpu_memory_allocated_gb, "timestamp")
  select '{run}', step, step / {rows}.0, 2 + random() / (1 + step / 1000.0),
    case when step % 1000 = 0 then 2 + random() / 10 end, case when step % 1000 = 0 then 7 + random() end,
    1e-4 * (1 - step / {rows}.0), exp(random()), 9000 + 900 * random(), 9 + random(), 40 + random(),
    '2026-01-01'::timestamptz + step * interval '0.7 second'
  from generate_series(0, {rows} - 1) step;
"""


def run_id(number: int) -> str:
    """The id of the run with a number."""
    return str(uuid.UUID(int=10**9 + number))


def fill(project: Project, rows: int, running: int) -> None:
    """Fill the table with runs of ``RUN_ROWS`` rows; the first ones are running."""
    owner = project.users["ann"].id
    # Kept up row by row, the indexes would cost most of the time.
    indexes = project.execute(
        "select indexname, indexdef from pg_indexes"
        " where tablename = 'local_training_metrics' and indexname not like '%pkey'"
    )
    project.execute("".join(f"drop index {index['indexname']};" for index in indexes))
    for number in range(max(RUNS, rows // RUN_ROWS)):
        status = "running" if number < running else "completed"
        project.execute(FILL.format(run=run_id(number), owner=owner, status=status, rows=RUN_ROWS))
    for index in indexes:
        project.execute(index["indexdef"])
    project.execute("vacuum analyze local_training_metrics")


def timed(project: Project, read: Callable[[], object]) -> dict[str, float]:
    """Seconds, bytes as sent and requests of a read."""
    project.log.clear()
    start = time.perf_counter()
    read()
    seconds = time.perf_counter() - start
    entries = project.log.of("/rest/")
    return {
        "seconds": seconds,
        "megabytes": sum(entry.response_bytes for entry in entries) / 1e6,
        "requests": len(entries),
    }


def first_charts(project: Project, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Five runs until their curves are there: by rows, and by the function of the migration."""
    runs = [run_id(number) for number in range(RUNS)]

    def each(read: Callable[[str], object]) -> None:
        # As the page does: a thread for each run.
        with ThreadPoolExecutor(RUNS) as threads:
            list(threads.map(read, runs))

    with project_for(project, timeout_s=60.0) as connections:
        source = SupabaseSource(connections, reader_for(connections, project, "ann"))
        ways = {
            "by the function": lambda run: source.load_curves([run], FIRST_METRICS, buckets=SOURCE_BUCKETS),
            "by rows": lambda run: source.load_curves([run]),
        }
        return {
            name: [timed(project, lambda read=read: each(read)) for _ in range(rounds)] for name, read in ways.items()
        }


def watch(project: Project, sessions: int, seconds: float) -> dict[str, object]:
    """So many sessions, none sharing a cache, that look at five running runs while these grow."""
    runs = [run_id(number) for number in range(RUNS)]
    waits: list[float] = []
    stop = time.monotonic() + seconds

    def session(number: int) -> None:
        with project_for(project) as connections:
            source = SupabaseSource(connections, reader_for(connections, project, "ann"))
            time.sleep(REFRESH_S * number / sessions)
            while time.monotonic() < stop:
                start = time.monotonic()
                source.load_runs(runs)
                source.load_new_curves(runs, dict.fromkeys(runs, RUN_ROWS - 1))
                waits.append(time.monotonic() - start)
                time.sleep(max(0.0, REFRESH_S - (time.monotonic() - start)))

    project.log.clear()
    threads = [threading.Thread(target=session, args=(number,)) for number in range(sessions)]
    for thread in threads:
        thread.start()
    step = RUN_ROWS
    while any(thread.is_alive() for thread in threads):
        time.sleep(1.0)
        project.execute(
            "".join(
                f"insert into local_training_metrics (job_id, step, train_loss) values ('{run}', {step}, 2.0);"
                for run in runs
            )
        )
        step += 1
    entries = project.log.of("/rest/")
    return {
        "polls": len(waits),
        "median_s": statistics.median(waits),
        "p95_s": statistics.quantiles(waits, n=20)[-1],
        "requests_per_second": len(entries) / seconds,
        "kilobytes_per_poll": sum(entry.response_bytes for entry in entries) / 1e3 / max(len(waits), 1),
        "failed": sum(entry.status >= 400 for entry in entries),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    print(f"load average before: {os.getloadavg()[0]:.2f}, {os.cpu_count()} processors", flush=True)
    with Stack() as stack:
        project = stack.project("bench", migrated=True, seeded=False)
        start = time.perf_counter()
        fill(project, options.rows, RUNS)
        print(f"filled {options.rows:,} rows in {time.perf_counter() - start:.0f} s", flush=True)
        charts = first_charts(project, options.rounds)
        print(f"{RUNS} runs x {RUN_ROWS:,} rows{'seconds':>14}{'min':>8}{'MB':>8}{'requests':>10}")
        for name, rounds in charts.items():
            took = [each["seconds"] for each in rounds]
            last = rounds[-1]
            print(
                f"{name:22}{statistics.median(took):>14.2f}{min(took):>8.2f}{last['megabytes']:>8.1f}"
                f"{last['requests']:>10}",
                flush=True,
            )
        polls = watch(project, options.sessions, options.seconds)
        print(
            f"{options.sessions} sessions, every {REFRESH_S:g} s: "
            + ", ".join(f"{k} {v:.3g}" for k, v in polls.items())
        )
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "database.json").write_text(json.dumps({"first charts": charts, "polling": polls}, indent=1))


if __name__ == "__main__":
    main()
