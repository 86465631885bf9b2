"""The demo runs as rows of the two tables, divided between two users."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from lib.data.demo.source import JOBS_FILE, METRICS_FILE
from tests.supabase.accounts import User

JOBS = "local_training_jobs"
METRICS = "local_training_metrics"

ANN = User("a0000000-0000-4000-8000-00000000000a", "ann@example.com", "ann-has-a-password")
BOB = User("b0000000-0000-4000-8000-00000000000b", "bob@example.com", "bob-has-a-password")
USERS = {"ann": ANN, "bob": BOB}


def owned_jobs() -> dict[str, tuple[str, ...]]:
    """The ids of each user's jobs, in the demo's order.

    Ann has the first half of the demo's jobs and the one that is running, Bob has the others; among Bob's is one
    without any metrics.
    """
    jobs = pq.read_table(JOBS_FILE, columns=["id", "status"]).to_pylist()
    anns = [place < len(jobs) // 2 or job["status"] == "running" for place, job in enumerate(jobs)]
    ids = [job["id"] for job in jobs]
    return {
        "ann": tuple(job for job, hers in zip(ids, anns, strict=True) if hers),
        "bob": tuple(job for job, hers in zip(ids, anns, strict=True) if not hers),
    }


def demo_tables() -> dict[str, pa.Table]:
    """The demo's rows by table, jobs with the ids of their new owners."""
    jobs = pq.read_table(JOBS_FILE)
    hers = pc.is_in(jobs["id"], pa.array(owned_jobs()["ann"]))
    owners = pc.if_else(hers, ANN.id, BOB.id)
    jobs = jobs.set_column(jobs.column_names.index("user_id"), "user_id", owners)
    return {JOBS: jobs, METRICS: pq.read_table(METRICS_FILE).sort_by("id")}


def seed_sql(columns: Mapping[str, Collection[str]], *, rows: bool = True) -> str:
    """What loads the users and the demo's rows, for psql.

    Args:
        columns: The columns that each table has; what the table has no column for is left out.
        rows: Without them, only the users are loaded.
    """
    people = ", ".join(f"('{user.id}', '{user.email}')" for user in USERS.values())
    parts = [f"insert into auth.users (id, email) values {people};\n"]
    if not rows:
        return parts[0]
    for name, table in demo_tables().items():
        table = table.select([column for column in table.column_names if column in columns[name]])
        text = io.BytesIO()
        pa.csv.write_csv(table, text, pa.csv.WriteOptions(include_header=False))
        listed = ", ".join(f'"{column}"' for column in table.column_names)
        parts.append(f"copy public.{name} ({listed}) from stdin with (format csv);\n{text.getvalue().decode()}\\.\n")
    parts.append(f"select setval(pg_get_serial_sequence('public.{METRICS}', 'id'), max(id)) from public.{METRICS};\n")
    parts.append("analyze;\n")
    return "".join(parts)
