"""See benchmarks/training/__init__.py."""

import sys

from benchmarks.training import main

sys.exit(main())
