"""`python -m tests.benchmarks [--quick] [a b c d e f]`."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime

from tests.benchmarks import idle, pieces, recording, starting, ticking, windows

PARTS = {"a": starting, "b": pieces, "c": idle, "d": recording, "e": ticking, "f": windows}


def main() -> None:
    """Measure one thing after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller and shorter, for a first look")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these of {', '.join(PARTS)}")
    wishes = parser.parse_args()
    unknown = set(wishes.parts) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    load, cores = os.getloadavg()[0], os.cpu_count()
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {cores} processors, load {load:.1f} before the first measurement")
    for name in wishes.parts or PARTS:
        PARTS[name].measure(quick=wishes.quick)
    print(f"\nload {os.getloadavg()[0]:.1f} after the last measurement")


if __name__ == "__main__":
    main()
