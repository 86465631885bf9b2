"""What it costs in memory to watch a run that grows: the resident size of the server, poll by poll.

    python -m bench.polls [--rows 100000] [--polls 40]

A source in memory holds one running run of seven metrics, which grows by ten steps each time that the main page is run,
as it is when a poll has news. The bound is twice what one version of the run takes, beside what the first page leaves
behind. Prints a table and writes bench/results/polls.json.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
from pathlib import Path

from bench.report import say_load, write
from bench.session import Session, WatchedServer
from tests.app.growing import METRICS
from tests.browser.harness import PROJECT_ROOT

EVERY = 5
"""A line is printed after so many polls."""

PAGE = """
import sys
sys.path[:0] = [{root!r}]
import runpy
from lib.core.facts.query import RunQuery
from lib.data.settings import Settings
from lib.ui.session import current_curves, reads
from tests.app.growing import GrowingSource

reads.open_source = lambda settings: GrowingSource({rows})
current_curves.ASK_SHARE = 0.0
source = reads.source(Settings())
source.rows += 10
reads.forget_runs(source, ("growing",), RunQuery())
runpy.run_path({root!r} + "/streamlit_app.py", run_name="__main__")
"""


async def watch(folder: Path, polls: int) -> list[float]:
    """Megabytes of the server before a run is chosen, with its first version, and after each poll."""
    with WatchedServer(script=folder / "streamlit_app.py") as server:
        async with Session(server.url) as session:
            await session.run()
        sizes = [server.resident_mb()]
        async with Session(server.url, "run=growing") as session:
            for _ in range(polls + 1):
                await session.run()
                sizes.append(server.resident_mb())
    return sizes


def main() -> None:
    """Watch the run, and print how the server grows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--polls", type=int, default=40)
    options = parser.parse_args()
    say_load()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("pages", "static", ".streamlit"):
            shutil.copytree(PROJECT_ROOT / part, folder / part)
        (folder / "streamlit_app.py").write_text(PAGE.format(root=str(PROJECT_ROOT), rows=options.rows))
        sizes = asyncio.run(watch(folder, options.polls))
    version = options.rows * 8 * (len(METRICS) + 3) / 1e6
    print(f"{options.rows:,} rows x {len(METRICS)} metrics: one version takes {version:.0f} to {2 * version:.0f} MB")
    print(f"resident: {sizes[0]:.0f} MB before, {sizes[1]:.0f} MB with the first version")
    for poll in range(EVERY, options.polls + 1, EVERY):
        print(f"after {poll:3} polls: {sizes[1 + poll]:.0f} MB")
    write("polls", {"version_mb": version, "resident_mb": sizes})


if __name__ == "__main__":
    main()
