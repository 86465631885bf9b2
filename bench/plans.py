"""How PostgreSQL answers what the app asks for: the plan of every query, by table layout and by policy.

    python -m bench.plans [--rows 5000000]

Starts a real PostgreSQL and PostgREST on this machine (``tests/supabase``), fills the metrics table, and lets the app's
own source read as somebody who has signed in, while the database writes down its plans (``auto_explain``). The same
rows are read from the two tables as their owner made them, with the optional migrations, with the policies of
``docs/policies.md``, and from tables that are cut by run and by month. Prints the milliseconds in the database and the
slowest plan of each read, and writes bench/results/plans.txt.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.database import RUN_ROWS, fill, run_id
from bench.report import say_load
from lib.core.facts.query import RunQuery
from lib.data.supabase.source import SupabaseSource
from lib.ui.session.run_data import FIRST_METRICS, SOURCE_BUCKETS
from tests.supabase.cluster import SUPERUSER
from tests.supabase.policies import READING, statements
from tests.supabase.project import Project
from tests.supabase.readers import project_for, reader_for
from tests.supabase.stack import Stack, migrations

RESULTS = Path(__file__).parent / "results"
PARTITIONS, MONTHS = 16, 12
WIDTH, SHOWN = 110, 14
"""Of what is printed: characters of a line, lines of a plan."""
ALIAS = r" local_training_\w+_\d+$"
SHORTER = (
    (r"\(COALESCE\(NULLIF\(current_setting.*?'sub'::text\)\)\)::uuid", "auth.uid()"),
    (r"'[0-9a-f-]{36}'::uuid", "'...'"),
    (r"\((InitPlan|hashed SubPlan) \d+\)\.col1", r"\1"),
)
"""What PostgreSQL spells out, and what it comes to."""
EXPLAIN = """
alter database {name} set session_preload_libraries = 'auto_explain';
alter database {name} set auto_explain.log_min_duration = 0;
alter database {name} set auto_explain.log_analyze = on;
alter database {name} set auto_explain.log_timing = off;
alter database {name} set auto_explain.log_nested_statements = on;
"""
POLICIES_BEFORE = """
drop policy "Users can view their own jobs" on local_training_jobs;
drop policy "Users can view metrics of their own jobs" on local_training_metrics;
"""
PARTITIONED = """
alter table local_training_metrics rename to metrics_before;
drop function reduced_metrics;
create table local_training_metrics (like metrics_before including defaults) partition by {key};
{parts}
insert into local_training_metrics select * from metrics_before;
drop table metrics_before;
create index on local_training_metrics (job_id, step);
create index on local_training_metrics (job_id, step) where eval_loss is not null or perplexity is not null;
alter table local_training_metrics enable row level security;
grant select on local_training_metrics to anon, authenticated;
"""
BY_RUN = "".join(
    f"create table metrics_run_{part} partition of local_training_metrics"
    f" for values with (modulus {PARTITIONS}, remainder {part});\n"
    for part in range(PARTITIONS)
)
BY_MONTH = "".join(
    f"create table metrics_month_{month} partition of local_training_metrics for values"
    f" from (timestamptz '2026-01-01' + interval '{month} months')"
    f" to (timestamptz '2026-01-01' + interval '{month + 1} months');\n"
    for month in range(MONTHS)
)


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan that the database wrote down.

    Attributes:
        milliseconds: That the query took.
        nested: Whether the migration's function asked; the time of its caller holds this one.
        scans: The lines of the plan that say how rows of the two tables are found.
    """

    milliseconds: float
    nested: bool
    scans: tuple[str, ...]


def plans_of(log: str) -> list[Plan]:
    """The plans of queries of the two tables in a part of PostgreSQL's log."""
    found = []
    for entry in re.split(r"^(?=\d{4}-)", log, flags=re.MULTILINE):
        told = re.search(r"duration: ([\d.]+) ms\s+plan:\n", entry)
        if told is None or not re.search("pgrst_source|local_training", entry):
            continue
        query, *_ = re.split(r"^.*\(cost=", entry[told.end() :], maxsplit=1, flags=re.MULTILINE)
        scans = tuple(scans_of(entry[told.end() + len(query) :].splitlines()))
        found.append(Plan(float(told[1]), "pgrst_source" not in query, scans))
    return found


def scans_of(lines: Sequence[str]) -> Iterator[str]:
    """Of a plan the nodes that look at rows of the tables, with their conditions, as wide as a page."""
    in_scan = False
    for line in lines:
        node = re.match(r"\s*(?:->\s+)?(.*?)\s+\(cost=.*\) \((actual rows=.*|never executed)\)", line)
        if node:
            in_scan = re.search(r"Scan.* on (local_training|metrics_)", line) is not None
            if in_scan:
                yield f"{re.sub(ALIAS, '', node[1])}  ({node[2]})"[:WIDTH]
        elif in_scan and re.match(r"\s*(Index Cond|Filter|Rows Removed by Filter)", line):
            for pattern, short in SHORTER:
                line = re.sub(pattern, short, line)
            yield f"    {line.strip()}"[:WIDTH]
        elif "Subplans Removed" in line:
            yield line.strip()


def reads(source: SupabaseSource, runs: int, others: str) -> dict[str, Callable[[], object]]:
    """What the app asks for, by what a person does."""
    run = run_id(0)
    return {
        "list of runs, first page": lambda: source.list_runs(RunQuery(limit=50)),
        "one run is chosen": lambda: source.load_runs([run]),
        "its curves, reduced by the function": lambda: source.load_curves([run], FIRST_METRICS, buckets=SOURCE_BUCKETS),
        "a zoom of 900 steps": lambda: source.load_curves([run], FIRST_METRICS, steps=(50_000, 50_899)),
        "what is new of a running run": lambda: source.load_new_curves([run], {run: RUN_ROWS - 10}),
        "somebody else's run": lambda: source.load_new_curves([others], {others: 0}),
    }


def measure(project: Project, runs: int, others: str) -> dict[str, list[Plan]]:
    """The plans of each read, the second time that it is made: the first one fills the database's memory."""
    log = project.cluster.folder / "postgres.log"
    found: dict[str, list[Plan]] = {}
    with project_for(project, timeout_s=120.0) as connections:
        source = SupabaseSource(connections, reader_for(connections, project, "ann"))
        for name, read in reads(source, runs, others).items():
            read()
            start = log.stat().st_size
            read()
            with log.open("rb") as file:
                file.seek(start)
                found[name] = plans_of(file.read().decode())
    return found


def told(layout: str, measured: dict[str, list[Plan]]) -> str:
    """What was measured of one layout: times, and how the slowest query of each read found its rows."""
    text = f"== {layout}\n"
    for name, plans in measured.items():
        asked = [plan for plan in plans if not plan.nested]
        text += f"\n{name}: {sum(plan.milliseconds for plan in asked):.1f} ms, {len(asked)} queries\n"
        if scanned := [plan for plan in plans if plan.scans]:
            slowest = max(scanned, key=lambda plan: plan.milliseconds)
            # Rows are looked for twice where they are counted too.
            scans = list(dict.fromkeys(slowest.scans))
            text += "".join(f"    {line}\n" for line in scans[:SHOWN])
            if len(scans) > SHOWN:
                text += f"    ... {len(scans) - SHOWN} lines like these\n"
    return text


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill, read, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000)
    options = parser.parse_args(arguments)
    say_load()
    text = ""
    with Stack() as stack:
        project = stack.project("plans", seeded=False)
        fill(project, options.rows, 1)
        runs = options.rows // RUN_ROWS
        others = run_id(runs - 1)
        project.execute(
            f"update local_training_jobs set user_id = '{project.users['bob'].id}' where id = '{others}';"
            'update local_training_metrics m set "timestamp" = m."timestamp" + j.place * interval \'7 days\''
            " from (select id, row_number() over (order by id) as place from local_training_jobs) j"
            " where j.id = m.job_id;"
        )
        project.execute("vacuum full analyze local_training_metrics")
        project.execute(EXPLAIN.format(name="plans"), role=SUPERUSER)
        layouts: dict[str, Callable[[], object]] = {
            "as their owner made them": lambda: None,
            "with the migrations": lambda: [stack.cluster.run_file("plans", file) for file in migrations()],
            "and the policies of docs/policies.md": lambda: project.execute(POLICIES_BEFORE + statements(READING)),
            f"cut by run into {PARTITIONS}": lambda: partition(stack, project, "hash (job_id)", BY_RUN),
            f"cut by month into {MONTHS}": lambda: partition(stack, project, 'range ("timestamp")', BY_MONTH),
        }
        for layout, make in layouts.items():
            make()
            project.reload_schema()
            part = told(layout, measure(project, runs, others))
            print(part, flush=True)
            text += part
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "plans.txt").write_text(text)


def partition(stack: Stack, project: Project, key: str, parts: str) -> None:
    """Move the metrics into a table that is cut by a key, with the same indexes, policies and function."""
    project.execute(
        "set auto_explain.log_min_duration = -1;" + PARTITIONED.format(key=key, parts=parts), role=SUPERUSER
    )
    project.execute("alter table local_training_metrics owner to postgres", role=SUPERUSER)
    project.execute(statements(READING))
    stack.cluster.run_file("plans", migrations()[1])
    project.execute("vacuum analyze local_training_metrics")


if __name__ == "__main__":
    main()
