"""`python -m lvm`, and what `torchrun -m lvm` starts."""

import sys

from lvm.cli import main

sys.exit(main())
