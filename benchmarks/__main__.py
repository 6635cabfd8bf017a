"""`make bench`: every measured claim, one after the other, and which parts kept theirs; exits 1 if
one did not."""

from __future__ import annotations

import sys

from benchmarks import dashboard, import_big, restarts, serving, startup

PARTS = (startup, dashboard, serving, restarts, import_big)


def main() -> int:
    codes: dict[str, int] = {}
    for part in PARTS:
        name = part.__name__.rpartition(".")[2]
        summary = (part.__doc__ or "").strip().splitlines()[0]
        print(f"\n== {name}: {summary}", flush=True)
        codes[name] = part.main([])
    print("\n== summary")
    for name, code in codes.items():
        print(
            f"{name:12} {'✓ every limit kept' if code == 0 else '✗ a limit was missed, see above'}"
        )
    return 1 if any(codes.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
