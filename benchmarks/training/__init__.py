"""Training against a plain loop: speed, equal results, where the time goes, distance from the peak.

python -m benchmarks.training                      all four models, about 6 minutes on 2 cores
python -m benchmarks.training --models gru --only speed
python -m benchmarks.training --fast precision=bf16
"""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    from benchmarks.training import suite

    return suite.main(argv)
