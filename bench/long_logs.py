"""How long one log of 200 MB takes, and how much memory, in each format: its list alone, and with its curves.

``python -m bench.long_logs [--megabytes 200] [--formats csv tsv] [--in FOLDER] [--against CHECKOUT]``

Every log is read in a process of its own, which counts seconds of a processor from its start, imports included. A
bound stands beside each row. ``--against`` reads the same files with another checkout's code, in turns with this.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import long_binary_files, long_log_files
from bench.report import say_load

WRITERS = long_log_files.WRITERS | long_binary_files.WRITERS
MOST_S, MOST_MB = 4.0, 700
"""What a log of 200 MB may take: all processes together, and the largest of those that read beside the main one."""
MOST_RUNS_S = 10.0
"""What five runs of 100,000 steps with six metrics may take in TensorBoard's event files, which have 160 MB."""
TIMES_THE_FLOOR = 2.0
"""What Parquet may take, of Arrow reading it and nothing else."""

_READ = """
import json, os, resource, sys, time
def used():
    all = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in all)
def highest():
    with open("/proc/self/status") as file:
        own = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    return (own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024
os.environ["RUNOFF_CACHE"] = ""
root, what = sys.argv[1:]
began, ready = time.monotonic(), 0.0
if what == "floor":
    import glob
    from pyarrow import parquet
    for path in glob.glob(root + "/**/*.parquet", recursive=True):
        parquet.read_table(path, pre_buffer=False)
    print(json.dumps({"list": used(), "curves": used(), "wall": time.monotonic() - began, "mb": highest(), "at": {}}))
    sys.exit()
from lib.core.facts.query import RunQuery
from lib.data.folder import source as folder
ready = used()
folder.OWN_STUCK_S = 3600.0
source = folder.FolderSource(root, is_own=True)
source.settle()
page = source.list_runs(RunQuery())
listed, list_mb, at = used(), highest(), {}
if what == "curves":
    curves = source.load_curves([run.run_id for run in page.runs])
    at = {run: sum(map(len, each.curves.values())) for run, each in curves.items()}
print(json.dumps({
    "list": listed, "curves": used(), "wall": time.monotonic() - began, "mb": highest(), "list_mb": list_mb, "at": at,
    "imports": ready, "runs": page.total,
    "why": [*(each.reason for each in page.unreadable), *(each.why for each in page.unused)],
}))
"""


def main() -> None:
    """Write the logs, read them, and print a line for each; ends with 1 where one is above its bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--formats", nargs="+", default=list(WRITERS), choices=list(WRITERS))
    parser.add_argument("--in", dest="place", help="a folder to write to, and to use again")
    parser.add_argument("--against", type=Path, help="another checkout, whose code reads the same logs")
    called = parser.parse_args()
    say_load()
    print(f"{'format':16}{'MB':>5}{'list':>8}{'curves':>8}{'wall':>8}{'MB most':>9}{'points':>13}{'load':>6}")
    above = []
    with tempfile.TemporaryDirectory() as name:
        for each in called.formats:
            root = Path(called.place or name) / f"{each}-{called.megabytes}"
            size = _written(each, root, called.megabytes * 2**20)
            if called.against is not None:
                _say(f"{each}, before", size, _read(root, "curves", called.against))
            read = _read(root, "curves")
            _say(each, size, read)
            if each.startswith("parquet"):
                floor = _read(root, "floor")
                _say(f"{each}, floor", size, floor)
                is_above = read["curves"] - read["imports"] > TIMES_THE_FLOOR * floor["curves"]
            else:
                most = MOST_RUNS_S if each.endswith(" runs") else MOST_S * called.megabytes / 200
                is_above = read["curves"] > most
            if is_above or read["mb"] > MOST_MB or not read["at"]:
                above.append(each)
    if above:
        sys.exit(f"above the bound: {', '.join(above)}")


def _written(name: str, root: Path, size: int) -> int:
    """Write a log of about so many bytes, unless it is there; how many it has."""
    mark = root.with_suffix(".size")
    if not mark.exists():
        WRITERS[name](root / "run", size)
        mark.write_text(str(sum(path.stat().st_size for path in root.rglob("*") if path.is_file())))
    return int(mark.read_text())


def _read(root: Path, what: str, checkout: Path | None = None) -> dict:
    place = checkout or Path(__file__).parents[1]
    found = subprocess.run(
        [sys.executable, "-c", _READ, str(root), what], cwd=place, stdout=subprocess.PIPE, check=True
    )
    return json.loads(found.stdout)


def _say(name: str, size: int, read: dict) -> None:
    points = sum(read["at"].values())
    print(
        f"{name:16}{size / 2**20:5.0f}{read['list']:8.2f}{read['curves']:8.2f}{read['wall']:8.2f}{read['mb']:9,.0f}"
        f"{points:13,}{os.getloadavg()[0]:6.1f}  {'; '.join(read.get('why', ()))}",
        flush=True,
    )


if __name__ == "__main__":
    main()
