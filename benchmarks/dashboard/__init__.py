"""The dashboard's figures: first paint, keys, throughput, redraw, opening, traffic, slow, memory.

python -m benchmarks.dashboard             all of it, some 15 minutes; nothing else should run
python -m benchmarks.dashboard --quick     smaller and shorter, about 3 minutes
python -m benchmarks.dashboard keys traffic
"""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    from benchmarks.dashboard import suite

    return suite.main(argv)
