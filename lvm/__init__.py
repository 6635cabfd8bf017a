"""lvm: train, test, check, promote and serve Latent Vector Models, without a screen.

Public names are resolved when first used, so that `import lvm` costs nothing: torch is imported
only by what needs it.
"""

from __future__ import annotations

__version__ = "0.1.0"
