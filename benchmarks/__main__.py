"""`make bench`: every measured claim, one after the other; exits 1 if one is not kept."""

from __future__ import annotations

import sys

from benchmarks import import_big, restarts, serving, startup

PARTS = (startup, serving, restarts, import_big)


def main() -> int:
    failed = 0
    for part in PARTS:
        name = part.__name__.rpartition(".")[2]
        summary = (part.__doc__ or "").strip().splitlines()[0]
        print(f"\n== {name}: {summary}")
        failed |= part.main([])
    return failed


if __name__ == "__main__":
    sys.exit(main())
