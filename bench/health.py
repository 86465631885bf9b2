"""How well the health checks find what is planted in simulated runs, and how often they cry wolf.

    python -m bench.health [--seeds 300]

Prints for every kind and size: recall; how often it cannot be told; of those found, how often the first step is
right (within one logging interval, plus the kind's tolerance for what begins gradually), and by how many
intervals it is off; how many runs have an alarm of another kind. Then false alarms and "cannot tell" of every
check on clean runs, and the time that all checks take.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from types import MappingProxyType

import numpy as np

from bench.health_runs import KINDS, NOW, SIZES, clean_run, planted_run
from lib.core.checks.check import Group, Outcome
from lib.core.checks.registry import CHECKS, checks_of
from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.facts.runs import RunSummary


def recall_table(seeds: int) -> None:
    print(
        f"\n{'kind':24} {'size':>20} {'recall':>7} {'untold':>7} {'step ok':>8} {'median off':>11} {'other alarms':>13}"
    )
    for name, kind in KINDS.items():
        for size in range(len(SIZES)):
            found, untold, right, off, others = 0, 0, 0, [], 0
            for seed in range(seeds):
                planted = planted_run(name, size, seed)
                results = checks_of(planted.run, planted.curves, now=NOW)
                result = results.of(kind.code)
                findings = result.findings
                untold += result.outcome is Outcome.CANNOT_TELL
                others += any(finding.code != kind.code for finding in results.findings_in(Group.HEALTH))
                if not findings:
                    continue
                found += 1
                error = min(abs((finding.step or 0) - (planted.step or 0)) for finding in findings)
                off.append(error / planted.interval)
                right += error <= planted.interval + kind.tolerance * planted.length
            steps = f"{right / found:8.1%} {np.median(off):11.1f}" if found else f"{'-':>8} {'-':>11}"
            label = f"{kind.sizes[size]:g} {kind.size_unit}"
            print(f"{name:24} {label:>20} {found / seeds:7.1%} {untold / seeds:7.1%} {steps} {others / seeds:13.1%}")


def alarm_table(seeds: int) -> None:
    alarms: Counter[str] = Counter()
    untold: Counter[str] = Counter()
    runs = 0
    for seed in range(10_000, 10_000 + seeds):
        results = checks_of(*clean_run(seed), now=NOW)
        alarms.update(result.check.code for result in results.having(Outcome.FOUND, Group.HEALTH))
        untold.update(result.check.code for result in results.having(Outcome.CANNOT_TELL, Group.HEALTH))
        runs += bool(results.findings_in(Group.HEALTH))
    print(f"\n{'check on clean runs':24} {'alarms':>8} {'cannot tell':>12}")
    for code in (check.code for check in CHECKS if check.group is Group.HEALTH):
        print(f"{code:24} {alarms[code] / seeds:8.2%} {untold[code] / seeds:12.2%}")
    print(f"{'any':24} {runs / seeds:8.2%}")


def timings() -> None:
    print(f"\n{'points x 6 curves':24} {'ms':>8}")
    rng = np.random.default_rng(0)
    for n in (1_000, 10_000, 100_000, 1_000_000):
        step, nothing = np.arange(n), np.full(n, np.nan)
        shapes = {
            "train_loss": 1.0 + np.exp(-np.arange(n) / n) + rng.normal(0.0, 0.05, n),
            "learning_rate": np.linspace(1.0, 0.0, n),
            "grad_norm": np.exp(rng.normal(0.0, 0.3, n)),
            "tokens_per_second": 1e4 + rng.normal(0.0, 100.0, n),
            "gpu_memory_allocated_gb": 20.0 + rng.normal(0.0, 0.1, n),
            "eval_loss": 1.0 + np.exp(-np.arange(n) / n),
        }
        elapsed = np.arange(n, dtype=np.float64)
        curves = {name: complete_curve(step, values, nothing, elapsed) for name, values in shapes.items()}
        made = RunCurves("run", MappingProxyType(curves))
        run = RunSummary(run_id="run", name="run", config={"training": {"max_grad_norm": 1.0}})
        took = []
        for _ in range(3):
            begun = time.perf_counter()
            checks_of(run, made, now=NOW)
            took.append(time.perf_counter() - begun)
        print(f"{n:24,} {1000 * min(took):8.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=300, help="runs for each kind and size (default 300)")
    seeds = parser.parse_args().seeds
    recall_table(seeds)
    alarm_table(seeds)
    timings()


if __name__ == "__main__":
    main()
