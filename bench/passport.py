"""How well the checks of a run's data find what is wrong with it, and how often they cry wolf.

    python -m bench.passport [--seeds 100] [--controls 1000]

Plants every kind of defect into clean simulated runs and prints, for each size, the share that is found, and
by how many logging intervals the first step is missed at most; then what is found in clean runs.
"""

from __future__ import annotations

import argparse
from collections import Counter

from bench.defect_kinds import KINDS, SIZE_NAMES, Kind, alarms, recognised


def main() -> None:
    """Plant, check, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100, help="runs for each kind and size")
    parser.add_argument("--controls", type=int, default=1000, help="clean runs")
    chosen = parser.parse_args()
    print(f"{'':36}{'found of ' + str(chosen.seeds):^33}  {'worst first step, intervals':^30}")
    print(
        f"{'kind':36}" + "".join(f"{name:>11}" for name in SIZE_NAMES) + "  " + "".join(f"{n:>10}" for n in SIZE_NAMES)
    )
    for kind in KINDS:
        print(_row(kind, chosen.seeds))
    loud = [codes for seed in range(chosen.controls) if (codes := alarms(seed))]
    kinds = ", ".join(
        f"{code} {many}" for code, many in Counter(code for codes in loud for code in codes).most_common()
    )
    print(f"\nClean runs with an alarm: {len(loud)} of {chosen.controls}{': ' + kinds if loud else ''}")


def _row(kind: Kind, seeds: int) -> str:
    recalls, errors = [], []
    for size in kind.sizes:
        results = [recognised(kind, size, seed) for seed in range(seeds)]
        missed = [miss for found, miss in results if miss is not None]
        recalls.append(f"{sum(found for found, _ in results) / seeds:.2f}")
        errors.append(f"{max(missed):.2f}" if missed else "-")
    if len(kind.sizes) == 1:
        recalls, errors = ["", *recalls, ""], ["", *errors, ""]
    sizes = "" if len(kind.sizes) == 1 else f" {kind.sizes}".replace("(", "").replace(")", "").replace(",", "")
    name = kind.code + (" (each)" if kind.plant.__name__ == "each_repeated" else "")
    return f"{name:36}" + "".join(f"{r:>11}" for r in recalls) + "  " + "".join(f"{e:>10}" for e in errors) + sizes


if __name__ == "__main__":
    main()
