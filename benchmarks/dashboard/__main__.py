"""See benchmarks/dashboard/__init__.py."""

import sys

from benchmarks.dashboard.suite import main

sys.exit(main())
