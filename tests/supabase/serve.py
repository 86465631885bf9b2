"""A Supabase project to try the app with: ``python -m tests.supabase.serve``, until Ctrl-C.

It holds the demo runs, divided between two people who can sign in. Nothing leaves the machine, and nothing is kept.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from tests.supabase.binaries import Missing
from tests.supabase.gateway import PortUnavailable
from tests.supabase.live import LiveJob
from tests.supabase.project import Project
from tests.supabase.stack import TABLES, Stack

PORT = 54321
SECONDS_PER_ROW = 3.0


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    # A stopped service tidies up as after Ctrl-C, and one that a shell started in the background does not ignore that.
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.default_int_handler)
    try:
        with Stack() as stack:
            migrated = options.tables == "plain" and not options.unmigrated
            project = stack.project("postgres_app", tables=options.tables, migrated=migrated, port=options.port)
            live = LiveJob(project) if options.live is not None else None
            say(how_to_use(project) + (f"\n{live_note(live, options.live)}" if live else ""))
            while not threading.Event().wait(options.live):
                live.grow()
    except KeyboardInterrupt:
        say("\nStopped.")
    except Missing as missing:
        sys.exit(str(missing))
    except PortUnavailable as error:
        sys.exit(f"{error} Choose another with --port.")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.supabase.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="where it listens, 0 for any free port (%(default)s)")
    parser.add_argument("--tables", choices=TABLES, default="plain", help="how the two tables look (%(default)s)")
    parser.add_argument("--unmigrated", action="store_true", help="leave out the migrations in supabase/migrations")
    parser.add_argument(
        "--live",
        type=float,
        nargs="?",
        const=SECONDS_PER_ROW,
        metavar="SECONDS",
        help=f"let the running job train on: a new row every so many seconds ({SECONDS_PER_ROW:g})",
    )
    options = parser.parse_args(arguments)
    if options.live is not None and (options.tables != "plain" or not options.live > 0):
        parser.error("--live needs a positive number of seconds and --tables plain")
    return options


def how_to_use(project: Project) -> str:
    people = "\n".join(
        f"  {user.email}  password {user.password}  ({len(project.jobs[name])} runs)"
        for name, user in project.users.items()
    )
    return f"""\
A Supabase project with the demo runs, on this machine only, until Ctrl-C.

To read it with the app, put this into .streamlit/secrets.toml:

[runoff.supabase]
url = "{project.url}"
key = "{project.publishable_key}"

Sign in as one of
{people}

SQL: psql -h {project.cluster.folder} -U postgres -d {project.database}"""


def live_note(live: LiveJob, seconds: float) -> str:
    owner = next(user.email for name, user in live.project.users.items() if live.job in live.project.jobs[name])
    return f"Run {live.job} of {owner} gets a new row every {seconds:g} s."


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
