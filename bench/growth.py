"""What a long list of runs costs: the list itself, and the page beside it.

    python -m bench.growth [--runs 10 100 1000 10000 100000] [--rounds 9] [--no-database]

"memory" is the embedded source over generated files that begin with the demo's runs; "database" a real PostgreSQL and
PostgREST on this machine (tests/supabase), under row-level security, read as a reader who has signed in. "page" is the
script time of a rerun of the main page over the files, with the list remembered and with the list read
anew. "first" is what the first question after a start costs. Prints a table and writes bench/results/growth.json.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
from streamlit.testing.v1 import AppTest

from bench.page import five_runs, script_times
from bench.report import say_load, write
from lib.core.facts.query import RunQuery, RunSort
from lib.core.facts.runs import RunStatus
from lib.data.demo.source import JOBS_FILE, METRICS_FILE, EmbeddedSource
from lib.data.source import RunSource
from lib.data.supabase.source import SupabaseSource
from lib.ui.session import reads
from tests.browser.harness import PROJECT_ROOT
from tests.forgetting import forget_reads
from tests.supabase.project import Project
from tests.supabase.readers import project_for, reader_for
from tests.supabase.stack import Stack

QUESTIONS: Mapping[str, RunQuery] = {
    "first page": RunQuery(),
    "status completed": RunQuery(status=RunStatus.COMPLETED),
    "search, many match": RunQuery(search="sweep"),
    "search, one matches": RunQuery(search="sweep-7-"),
    "search, none matches": RunQuery(search="no run is called so"),
    "sorted by best loss": RunQuery(sort=RunSort.BEST_LOSS),
    "sorted by model": RunQuery(sort=RunSort.MODEL),
}
COMPARED = 100, 100_000
"""What the list costs with so many runs is to be within ``MOST_MORE`` of each other."""
MOST_MORE = 0.2

FILL = """
insert into local_training_jobs
    (id, user_id, status, model_name, dataset_path, base_model, best_eval_loss, eval_loss, elapsed_seconds, config,
     current_step, total_steps, created_at, started_at, completed_at, updated_at)
  select md5(n::text)::uuid, '{owner}', (array['completed', 'completed', 'failed', 'running'])[1 + n % 4],
    'sweep-' || n || '-llama', 'datasets/' || n % 50 || '/train.jsonl', 'meta-llama/Llama-3.1-8B',
    1 + (n * 7919 % 10007) / 10007.0, 1.1 + (n * 7919 % 10007) / 10007.0, 60 + n * 31 % 5000,
    '{{"training": {{"learning_rate": 0.0002, "num_train_epochs": 3, "per_device_train_batch_size": 8}}}}',
    1000, 1000, moment, moment, moment + interval '1 hour', moment + interval '1 hour'
  from (select n, '2026-01-01'::timestamptz + n * interval '1 minute' as moment
        from generate_series({first}, {last}) n) numbers;
"""

Times = dict[str, list[float]]


def jobs_file(runs: int, folder: Path) -> Path:
    """A jobs file with so many runs: the five that the page compares, the demo's others, and these again."""
    demo = pq.read_table(JOBS_FILE)
    compared = five_runs()
    order = sorted(range(len(demo)), key=lambda row: demo["id"][row].as_py() not in compared)
    table = demo.take([order[number % len(order)] for number in range(runs)])
    copies = range(len(demo), runs)
    ids = [*table["id"].to_pylist()[: len(demo)], *(f"{number:08x}-0000-4000-8000-000000000000" for number in copies)]
    names = [*table["model_name"].to_pylist()[: len(demo)], *(f"sweep-{number}-llama" for number in copies)]
    for column, values in (("id", ids), ("model_name", names)):
        place = table.schema.get_field_index(column)
        table = table.set_column(place, table.schema.field(place), pa.array(values, table.schema.field(place).type))
    path = folder / f"jobs-{runs}.parquet"
    pq.write_table(table, path)
    return path


def timed(ask: Callable[[], object], rounds: int) -> list[float]:
    """Milliseconds, so many times."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        ask()
        times.append(1000 * (time.perf_counter() - start))
    return times


def lists(source: RunSource, rounds: int) -> Times:
    """Milliseconds of each question, after each has been asked once."""
    found = {"first question": timed(lambda: source.list_runs(RunQuery()), 1)}
    for name, query in QUESTIONS.items():
        source.list_runs(query)
        found[name] = timed(lambda query=query: source.list_runs(query), rounds)
    return found


def pages(source: RunSource, rounds: int) -> Times:
    """Milliseconds of the main page's script over a source."""
    found: Times = {}
    with patch.object(reads, "open_source", lambda settings: source):
        for name, runs in (("nothing selected", []), ("five runs", five_runs())):
            forget_reads()
            reads._SOURCES.forget()
            app = AppTest.from_file(PROJECT_ROOT / "streamlit_app.py", default_timeout=120)
            app.query_params["run"] = runs
            with script_times() as times:
                app.run()
            assert not app.exception
            found[f"{name}, first run"] = [1000 * each for each in times]
            app.run()
            with script_times() as times:
                for _ in range(rounds):
                    app.run()
            found[f"{name}, rerun"] = [1000 * each for each in times]
            with script_times() as times:
                for _ in range(rounds):
                    reads._LISTS.forget()
                    app.run()
            found[f"{name}, rerun that reads the list"] = [1000 * each for each in times]
    return found


def memory(sizes: Sequence[int], rounds: int) -> dict[str, dict[int, Times]]:
    """The list and the page over files, by the number of runs."""
    found: dict[str, dict[int, Times]] = {"memory": {}, "page": {}}
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            path = jobs_file(size, Path(folder))
            # Few rounds where one takes seconds.
            found["memory"][size] = lists(EmbeddedSource(path, METRICS_FILE), rounds)
            found["page"][size] = pages(EmbeddedSource(path, METRICS_FILE), rounds)
    forget_reads()
    reads._SOURCES.forget()
    return found


def database(sizes: Sequence[int], rounds: int) -> dict[int, Times]:
    """The list of a real project, by the number of runs."""
    found: dict[int, Times] = {}
    with Stack() as stack:
        project = stack.project("growth", migrated=True, seeded=False)
        before = 0
        for size in sorted(sizes):
            fill(project, before + 1, size)
            before = size
            with project_for(project, timeout_s=60.0) as connections:
                found[size] = lists(SupabaseSource(connections, reader_for(connections, project, "ann")), rounds)
    return found


def fill(project: Project, first: int, last: int) -> None:
    """Put the runs with these numbers into the jobs table."""
    project.execute(FILL.format(owner=project.users["ann"].id, first=first, last=last))
    project.execute("vacuum analyze local_training_jobs")


def print_growth(kind: str, found: Mapping[int, Times]) -> None:
    """Print medians, a line for each question and a column for each number of runs; and the growth."""
    few, many = COMPARED
    compared = all(size in found for size in COMPARED)
    print(f"\n{kind + ', milliseconds':48}" + "".join(f"{size:>10,}" for size in found))
    for name in next(iter(found.values())):
        medians = {size: statistics.median(times[name]) for size, times in found.items()}
        line = f"{name:48}" + "".join(f"{value:10.1f}" for value in medians.values())
        print(line + (f"   {medians[many] / medians[few] - 1:+.0%}" if compared else ""), flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, nargs="+", default=[10, 100, 1000, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--no-database", action="store_true")
    options = parser.parse_args(arguments)
    say_load()
    few, many = COMPARED
    print(f"at the end of each line: {many:,} runs against {few:,}, to stay below {MOST_MORE:+.0%}")
    found = memory(options.runs, options.rounds)
    for kind, sizes in found.items():
        print_growth(kind, sizes)
    if not options.no_database:
        found["database"] = database(options.runs, options.rounds)
        print_growth("database", found["database"])
    write("growth", found)


if __name__ == "__main__":
    main()
