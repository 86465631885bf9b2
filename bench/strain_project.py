"""A project of many people whose rows can be told from each other: what is one's carries that one's mark."""

from __future__ import annotations

import random
import re
import string
import uuid
from dataclasses import dataclass

from tests.supabase.accounts import User
from tests.supabase.project import Project
from tests.supabase.seed import JOBS, METRICS, USERS

MARK = re.compile(rb"zqm[a-z]{6}")
"""Any mark, in any message."""
RUNS_EACH = 8
LIVES = "code-review-gemma-9b"
"""The demo's run that is running: everybody has one, so that pages also ask by themselves."""
CHANGED = "-changed-meanwhile"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with runs.

    Attributes:
        mark: In every text of each of their rows.
        runs: The ids of their runs; the first is the one that changes.
    """

    user: User
    mark: str
    runs: tuple[str, ...]


def people_of(project: Project, count: int, seed: int) -> list[Person]:
    """Give a project with the demo's rows so many people, and nobody else."""
    chance = random.Random(seed)
    names = set[str]()
    while len(names) < count:
        names.add("zqm" + "".join(chance.choices(string.ascii_lowercase, k=6)))
    demo = project.execute(
        f"select id from public.{JOBS} order by (model_name = '{LIVES}') desc, status = 'completed' desc, id"
    )[:RUNS_EACH]
    ids = [each["id"] for each in demo[1:]] + [demo[0]["id"]]
    people = []
    for number, mark in enumerate(sorted(names)):
        user = User(str(uuid.UUID(int=chance.getrandbits(128), version=4)), f"{mark}@example.com", f"{mark}-password")
        runs = tuple(str(uuid.uuid5(uuid.UUID(user.id), each)) for each in ids)
        people.append(Person(user, mark, runs))
        project.execute(f"insert into auth.users (id, email) values ('{user.id}', '{user.email}');")
        for at, (old, new) in enumerate(zip(ids, runs, strict=True)):
            project.execute(_copy(old, new, user.id, mark, number, at))
    owners = ", ".join(f"'{user.id}'" for user in USERS.values())
    project.execute(f"delete from public.{JOBS} where user_id in ({owners}); analyze;")
    project.accounts.by_email |= {each.user.email: each.user for each in people}
    return people


def change(project: Project, people: list[Person]) -> None:
    """Give each one's first run another name and another row."""
    for each in people:
        run = each.runs[0]
        project.execute(
            f"""
            insert into public.{METRICS} (job_id, step, train_loss)
              select job_id, max(step) + 1, 1.0 from public.{METRICS} where job_id = '{run}' group by job_id;
            update public.{JOBS} set model_name = '{each.mark}{CHANGED}', updated_at = now() where id = '{run}';
            """
        )


def _copy(old: str, new: str, owner: str, mark: str, number: int, at: int) -> str:
    said = f"""jsonb_build_object('id', '{new}', 'user_id', '{owner}', 'model_name', '{mark}-run-{at}',
      'dataset_path', 'datasets/{mark}/{at % 2}.jsonl', 'base_model', '{mark}/base', 'resumed_from_job_id', null,
      'resumed_from_checkpoint', null, 'best_checkpoint_path', '{mark}/best', 'updated_at', now(),
      'config', coalesce(config, '{{}}'::jsonb) || jsonb_build_object('note', '{mark}', 'number', {number}))"""
    ids = f"nextval(pg_get_serial_sequence('public.{METRICS}', 'id'))"
    return f"""
    insert into public.{JOBS}
      select (jsonb_populate_record(null::public.{JOBS}, to_jsonb(j) || {said})).*
      from public.{JOBS} j where id = '{old}';
    insert into public.{METRICS}
      select (jsonb_populate_record(null::public.{METRICS},
        to_jsonb(m) || jsonb_build_object('id', {ids}, 'job_id', '{new}'))).*
      from public.{METRICS} m where job_id = '{old}' order by id;
    """
