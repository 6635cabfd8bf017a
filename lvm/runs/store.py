"""The store of a workspace: jobs, commands, lease and ledger in one file, `lvm.db`."""

from __future__ import annotations

from lvm.runs.commands import Commands, Ledger
from lvm.runs.jobs import Jobs


class Store(Jobs, Commands, Ledger):
    """`Store(path)` makes the file if it is not there; usable from any thread and process.

    jobs.py: the queue · commands.py: what people say, promotions · leases.py: who trains ·
    database.py: the file, its errors.
    """
