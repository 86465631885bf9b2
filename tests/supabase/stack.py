"""The real parts of a Supabase project on this machine: PostgreSQL, PostgREST, and a gateway in front of them.

::

    with Stack() as stack:
        project = stack.project("plain")
        client = supabase.create_client(project.url, project.anon_key)
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from types import TracebackType

from tests.supabase.binaries import postgrest_program
from tests.supabase.cluster import SUPERUSER, Cluster
from tests.supabase.project import MAX_ROWS, Project
from tests.supabase.seed import JOBS, METRICS, seed_sql

SQL = Path(__file__).parent / "sql"
MIGRATIONS = Path(__file__).parents[2] / "supabase" / "migrations"
TABLES = ("plain", "old")
"""How the two tables of an existing project may look: files in ``sql/``."""


def migrations() -> list[Path]:
    """The project's own migrations, in their order."""
    return sorted(MIGRATIONS.glob("*.sql"))


class Stack:
    """One PostgreSQL server, and any number of projects on it.

    Its programs end with the thread that started them: start it, and projects, in the main thread.
    """

    def __init__(self) -> None:
        self.cluster = Cluster()
        self.projects: dict[str, Project] = {}
        self._templates: set[str] = set()

    def __enter__(self) -> Stack:
        self.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start PostgreSQL.

        Raises:
            Missing: If a program cannot be had; the message says what to install.
        """
        postgrest_program()
        self.cluster.start()
        try:
            self.cluster.run_file("postgres", SQL / "roles.sql", SUPERUSER)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything that was started here."""
        for name in list(self.projects):
            self._close(name)
        self.cluster.stop()

    def project(
        self,
        name: str,
        *,
        tables: str = "plain",
        migrated: bool = False,
        seeded: bool = True,
        max_rows: int | None = MAX_ROWS,
        port: int = 0,
    ) -> Project:
        """Make a database and start what serves it.

        Args:
            name: Of the database; one that is not in use.
            tables: How the tables look: ``plain`` or ``old``.
            migrated: Whether the migrations in ``supabase/migrations`` are applied, in order.
            seeded: Whether the demo's rows are in the tables.
            max_rows: The most rows of one answer; ``None`` for no limit.
            port: Where the gateway listens; 0 for any free port.
        """
        template = self._template(tables, seeded)
        self._admin(f'create database "{name}" template "{template}" owner postgres')
        try:
            for file in migrations() if migrated else ():
                self.cluster.run_file(name, file)
            self.projects[name] = Project(self.cluster, name, seeded=seeded, max_rows=max_rows, port=port)
        except BaseException:
            self._drop(name)
            raise
        return self.projects[name]

    def remove(self, project: Project) -> None:
        """Stop a project and drop its database."""
        self._close(project.database)
        self._drop(project.database)

    def _close(self, name: str) -> None:
        self.projects.pop(name).stop()

    def _template(self, tables: str, seeded: bool) -> str:
        """A database that projects start as copies of, made when it is first asked for."""
        name = f"template_{tables}_{'demo' if seeded else 'empty'}"
        if name not in self._templates:
            self._admin(f'create database "{name}" owner postgres')
            self.cluster.run_file(name, SQL / "project.sql", SUPERUSER)
            self.cluster.run_file(name, SQL / f"{tables}.sql")
            columns = {table: self._columns(name, table) for table in (JOBS, METRICS)}
            self.cluster.execute(name, seed_sql(columns, rows=seeded))
            self._templates.add(name)
        return name

    def _columns(self, database: str, table: str) -> Collection[str]:
        sql = f"select column_name from information_schema.columns where table_name = '{table}'"
        return {row["column_name"] for row in self.cluster.execute(database, sql)}

    def _admin(self, sql: str) -> None:
        self.cluster.execute("postgres", sql, SUPERUSER)

    def _drop(self, name: str) -> None:
        self._admin(f'drop database "{name}" with (force)')
