"""How well quiet failures are found in simulated runs of 20 to 20,000 points, and how often checks cry wolf.

    python -m bench.quiet [--seeds 200] [--controls 2000] [--first 50000]

Prints recall and "cannot tell" for every kind at three sizes, and which other checks warn; then the share of clean
runs in which any check of any group warns, by schedule.
"""

from __future__ import annotations

import argparse
from collections import Counter

from bench.health_runs import NOW, simulate
from bench.quiet_runs import LENGTHS, QUIET, SCHEDULES, clean_quiet_run, quiet_run
from lib.core.checks.check import Outcome
from lib.core.checks.registry import checks_of


def warnings(seed: int) -> set[str]:
    """The checks that warn about a clean run, whatever they are about."""
    return {finding.code for finding in checks_of(*clean_quiet_run(seed), now=NOW).serious}


def recall_table(seeds: range) -> None:
    print(f"{'kind':28} {'size':>18} {'recall':>7} {'untold':>7}  others that warn")
    for name, kind in QUIET.items():
        for size in range(3):
            found, untold = 0, 0
            others: Counter[str] = Counter()
            for seed in seeds:
                results = checks_of(*quiet_run(name, size, seed), now=NOW)
                outcome = results.of(kind.code).outcome
                found += outcome is Outcome.FOUND
                untold += outcome is Outcome.CANNOT_TELL
                others.update({finding.code for finding in results.serious} - {kind.code})
            told = ", ".join(f"{code} {many / len(seeds):.0%}" for code, many in others.most_common(4))
            label = f"{kind.sizes[size]:g} {kind.unit}"
            print(f"{name:28} {label:>18} {found / len(seeds):7.1%} {untold / len(seeds):7.1%}  {told}")


def alarm_table(seeds: range) -> None:
    runs: Counter[str] = Counter()
    loud: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    for seed in seeds:
        schedule = simulate(seed, LENGTHS[0], LENGTHS, SCHEDULES).schedule
        warned = warnings(seed)
        runs[schedule] += 1
        loud[schedule] += bool(warned)
        codes.update(warned)
    print(f"\n{'clean runs':28} {'runs':>6} {'warned about':>13}")
    for schedule in SCHEDULES:
        print(f"{schedule:28} {runs[schedule]:6} {loud[schedule] / max(runs[schedule], 1):13.2%}")
    print(f"{'all':28} {len(seeds):6} {loud.total() / len(seeds):13.2%}  {dict(codes.most_common())}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200, help="runs for each kind and size (default 200)")
    parser.add_argument("--controls", type=int, default=2000, help="clean runs (default 2000)")
    parser.add_argument("--first", type=int, default=50_000, help="the first seed (default 50000)")
    chosen = parser.parse_args()
    recall_table(range(chosen.first, chosen.first + chosen.seeds))
    alarm_table(range(chosen.first, chosen.first + chosen.controls))


if __name__ == "__main__":
    main()
