# SPDX-License-Identifier: MIT
"""Figures on the screen."""

import statistics
import sys
from dataclasses import dataclass


def median_of(runs, measure):
    """Runs `measure` several times and takes each figure's median."""
    results = [measure() for _ in range(runs)]
    return {key: statistics.median(result[key] for result in results) for key in results[0]}


def row(*cells):
    print("  ".join(f"{cell:>{width}}" if i else f"{cell:<{width}}" for i, (cell, width) in enumerate(cells)))


def table(title, columns, rows):
    print(f"\n{title}")
    row(("", 24), *((column, 14) for column in columns))
    for name, values in rows:
        row((name, 24), *((value, 14) for value in values))
    sys.stdout.flush()


@dataclass(frozen=True)
class Target:
    value: float | None  # None: could not be measured here
    side: str  # "over" or "under" the limit, which does not belong to it
    limit: float
    what: str

    def verdict(self):
        if self.value is None:
            return "not measured"
        met = self.value > self.limit if self.side == "over" else self.value < self.limit
        return "met" if met else "MISSED"


def judge(targets):
    print("\ntargets")
    for target in targets.values():
        value = f"{target.value:8.2f}" if target.value is not None else f"{'-':>8}"
        print(f"  {target.verdict():<6}  {value}  ({target.side} {target.limit:g})  {target.what}")
