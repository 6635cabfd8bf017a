"""Every error that a user can meet, as one small tree.

    LvmError                 what went wrong, where, what to do
    ├── InputError           the user's files or arguments                 exit 2
    │   ├── UsageError       a command line that cannot be understood
    │   ├── SettingsError    lvm.toml, flags, a job's settings
    │   ├── DataError        an .npz, a bank, a text source
    │   └── CheckpointError  a .pt file
    ├── RefusedError         it ran, and the verdict is "no"               exit 1
    ├── RunError             it failed while running                       exit 3
    │   ├── DivergedError    the loss became NaN or infinite
    │   ├── DiskError        the disk is full or not writable
    │   ├── LeaseError       another runner holds the lease
    │   └── ServiceError     a service does not answer, or answers nonsense
    └── Interrupted          the user stopped it                           exit 130

The message is made for a person: the edge (cli.py, a modal of the dashboard) prints it once,
and nothing in between catches it to hide it.
"""

from __future__ import annotations

from typing import ClassVar


def in_words(error: BaseException) -> str:
    """For a person, whatever was raised: what no error of ours says is called unexpected."""
    if isinstance(error, LvmError):
        return str(error)
    return f"unexpected error: {error} ({type(error).__name__})".replace(":  (", " (")


class LvmError(Exception):
    """Base of all errors of this project.

    what:  one clause, what went wrong ("no key 'targets'").
    where: the file, line, key, job or route concerned, or "".
    fix:   one sentence, what the user can do, or "".
    """

    exit_code: ClassVar[int] = 3
    kind: ClassVar[str] = "error"
    """Its name in documents, for programs."""

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what, where, fix)  # so that it survives pickling between processes
        self.what = what
        self.where = where
        self.fix = fix

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.what, self.where, self.fix))

    def to_json(self) -> dict[str, str]:
        return {"kind": self.kind, "what": self.what, "where": self.where, "fix": self.fix}

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  → {self.fix}" if self.fix else text


def _rebuild(kind: type[LvmError], what: str, where: str, fix: str) -> LvmError:
    return kind(what, where=where, fix=fix)


class InputError(LvmError):
    """The user's files or arguments cannot be used; nothing was changed."""

    exit_code = 2
    kind = "input"


class UsageError(InputError):
    """The command line names no command, a flag that is unknown, or lacks something."""

    kind = "usage"


class SettingsError(InputError):
    """A setting is unknown, has the wrong type, or lies out of its range."""

    kind = "settings"


class DataError(InputError):
    """A data file is missing, broken, or not of the shape that it should have."""

    kind = "data"


class CheckpointError(InputError):
    """A checkpoint is missing, broken, hostile, or of an unknown architecture."""

    kind = "checkpoint"


class RefusedError(LvmError):
    """The work ran and its verdict is negative: gates, data quality, promotion policy."""

    exit_code = 1
    kind = "refused"


class RunError(LvmError):
    """Something failed while running."""

    kind = "failed"


class DivergedError(RunError):
    """The loss became NaN or infinite; the last good checkpoint was kept."""

    kind = "diverged"


class DiskError(RunError):
    """The disk is full or cannot be written; the last good files were kept."""

    kind = "disk"


class LeaseError(RunError):
    """Another live runner holds the lease of this workspace."""

    kind = "lease"


class ServiceError(RunError):
    """A service does not answer, is busy, or answers what no service of ours would."""

    kind = "service"


class Interrupted(LvmError):
    """The user interrupted the work (Ctrl-C, SIGTERM)."""

    exit_code = 130
    kind = "interrupted"
