"""For all tests: one thread for arithmetic, set before anything imports torch."""

from __future__ import annotations

import os

# Tiny models on several threads spend their time waiting for one another; test workers and
# subprocesses share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
