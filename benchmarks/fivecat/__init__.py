"""5CAT against one sample at a time: equal numbers, × faster, share of the pure forward-pass rate.

python -m benchmarks.fivecat
python -m benchmarks.fivecat --models amn
"""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    from benchmarks.fivecat import suite

    return suite.main(argv)
