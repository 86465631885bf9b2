"""Fixtures of a real Supabase project: PostgreSQL and PostgREST, behind a gateway that also signs people in.

Projects, one for the whole run, each with the demo's rows (``tests.supabase.project.Project`` has the details):

``plain``     the two tables of an existing project: no index on (job_id, step), no migration of ours
``migrated``  the same after all files of ``supabase/migrations``
``old``       columns are missing (jobs: config, updated_at, perplexity...; metrics: perplexity, tokens_per_second,
              epoch...), and jobs have one that the app does not know (cluster_name)
``fresh``     makes one for a single test, which may then write into it:
              ``fresh(tables="plain", migrated=False, seeded=True, max_rows=1000)``
``stack``     the server that they share

What a project has::

    project.url                        .anon_key, .service_key, .publishable_key, .secret_key
    project.users["ann"]               .id, .email, .password; the other one is "bob"
    project.jobs["ann"]                ids of her jobs, in the demo's order
    project.sign_in("ann")             -> access token, by a real request
    project.session("ann")             -> the whole answer, refresh_token and all
    project.token("ann", seconds=-60)  -> a token without a session, here one that has expired
    project.request("GET", "/rest/v1/local_training_jobs?select=id", token=...)   -> httpx.Response
    project.execute(sql)               -> rows as dicts of text; user="ann" runs it as the API would for her
    project.reload_schema()            after a change of the schema
    project.log                        list of requests: method, path, query, headers, status, response_bytes;
                                       log.of("/rest/v1/") those below a path, log.clear()
    project.faults.add("/rest/v1/", status=429, headers={"Retry-After": "2"}, body={"message": "slow down"})
                                       status, body, content_type, headers, delay, cut="body" or "connection",
                                       hang=True, after=2 (from the third request on), times=1, method="GET",
                                       query="..." (only where the query string holds it)
    project.accounts                   .token_seconds, .reuse_seconds (of refresh tokens), .codes[email] (the last
                                       e-mail code), .end_sessions(user)

After each test the logs are empty, the faults gone and the accounts' settings as they were. Rows stay: whoever writes
takes ``fresh``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib.data.supabase.source import SupabaseSource
from tests.supabase.binaries import Missing
from tests.supabase.project import Project
from tests.supabase.readers import project_for, reader_for
from tests.supabase.stack import Stack

HERE = Path(__file__).parent
STACKS = pytest.StashKey[list[Stack]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[STACKS] = []


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests of a parallel run together, so that they share one server; before xdist reads the marks."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("supabase"))


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The server that the projects share."""
    stack = Stack()
    try:
        stack.start()
    except Missing as missing:
        pytest.skip(str(missing))
    request.config.stash[STACKS].append(stack)
    yield stack
    request.config.stash[STACKS].clear()
    stack.stop()


@pytest.fixture(scope="session")
def plain(stack: Stack) -> Project:
    """The two tables of an existing project."""
    return stack.project("plain")


@pytest.fixture(scope="session")
def migrated(stack: Stack) -> Project:
    """The tables after the project's migrations."""
    return stack.project("migrated", migrated=True)


@pytest.fixture(scope="session")
def old(stack: Stack) -> Project:
    """Tables that lack columns, and have one that the app does not know."""
    return stack.project("old", tables="old")


@pytest.fixture
def fresh(stack: Stack) -> Iterator[Callable[..., Project]]:
    """Make a project for one test, which may write into it."""
    made: list[Project] = []
    numbers = itertools.count(1)

    def make(**how: object) -> Project:
        made.append(stack.project(f"fresh_{next(numbers)}", **how))
        return made[-1]

    yield make
    for project in made:
        stack.remove(project)


@pytest.fixture
def connect() -> Iterator[Callable[..., SupabaseSource]]:
    """Open a stand-in project for one reader, or for nobody."""
    opened = []

    def make(stand_in: Project, name: str | None = "ann", **settings: object) -> SupabaseSource:
        context = project_for(stand_in, **settings)
        connections = context.__enter__()
        opened.append(context)
        return SupabaseSource(connections, name and reader_for(connections, stand_in, name))

    yield make
    for context in opened:
        context.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Reset the projects after each test."""
    yield
    for stack in request.config.stash[STACKS]:
        for project in stack.projects.values():
            project.reset()
