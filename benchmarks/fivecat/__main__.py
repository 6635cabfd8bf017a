"""See benchmarks/fivecat/__init__.py."""

import sys

from benchmarks.fivecat import main

sys.exit(main())
