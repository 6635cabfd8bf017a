"""Kills a process between any two system calls that change the disk.

The function runs in a forked child under ptrace(2). The child stops at the entry of every system
call; those that can change a file or a folder, SQLite's own included, are counted, and at the n-th
the child gets SIGKILL before the call is done. Nothing of the program is patched, so nothing that
it does can be overlooked. Linux on x86-64 or ARM only.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import sys
import traceback
from collections.abc import Callable, Iterator

_TRACEME, _SYSCALL, _SETOPTIONS, _GET_SYSCALL_INFO = 0, 24, 0x4200, 0x420E
_SYSGOOD, _EXITKILL = 1, 0x100000
_ENTRY = 1
_POKEUSER, _RAX, _ORIG_RAX = 6, 80, 120
"""Of x86-64: where struct user has a call's number and its answer."""

_NEED_ROOM = {
    "write", "pwrite64", "writev", "pwritev", "sendfile", "fallocate", "copy_file_range", "open",
    "creat", "link", "linkat", "symlink", "symlinkat", "mkdir", "mkdirat",
}  # fmt: skip

_CHANGING = {
    "x86_64": {
        "write": 1, "pwrite64": 18, "writev": 20, "pwritev": 296, "sendfile": 40,
        "ftruncate": 77, "truncate": 76, "fallocate": 285, "copy_file_range": 326,
        "rename": 82, "renameat": 264, "renameat2": 316, "link": 86, "linkat": 265,
        "symlink": 88, "symlinkat": 266, "unlink": 87, "unlinkat": 263, "mkdir": 83,
        "mkdirat": 258, "rmdir": 84, "chmod": 90, "fchmod": 91, "fchmodat": 268,
        "utimensat": 280, "fsync": 74, "fdatasync": 75, "creat": 85,
    },
    "aarch64": {
        "write": 64, "pwrite64": 68, "writev": 66, "pwritev": 70, "sendfile": 71,
        "ftruncate": 46, "truncate": 45, "fallocate": 47, "copy_file_range": 285,
        "renameat": 38, "renameat2": 276, "linkat": 37, "symlinkat": 36, "unlinkat": 35,
        "mkdirat": 34, "fchmod": 52, "fchmodat": 53, "utimensat": 88, "fsync": 82,
        "fdatasync": 83,
    },
}  # fmt: skip
_OPENING = {"x86_64": {2: 1, 257: 2}, "aarch64": {56: 2}}
"""open, openat → which argument has the flags: those that may make or cut a file are counted."""


class _Info(ctypes.Structure):
    """struct ptrace_syscall_info, as far as the entry of a call."""

    _fields_ = (
        ("op", ctypes.c_uint8),
        ("pad", ctypes.c_uint8 * 3),
        ("arch", ctypes.c_uint32),
        ("instruction", ctypes.c_uint64),
        ("stack", ctypes.c_uint64),
        ("number", ctypes.c_uint64),
        ("arguments", ctypes.c_uint64 * 6),
        ("more", ctypes.c_uint64),
    )


def _ptrace(request: int, pid: int, address: int = 0, data: object = None) -> int:
    call = ctypes.CDLL(None, use_errno=True).ptrace
    call.restype = ctypes.c_long
    call.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    answer = call(request, pid, address, data)
    if answer < 0:
        raise OSError(ctypes.get_errno(), "ptrace")
    return int(answer)


def can_trace() -> bool:
    if sys.platform != "linux" or platform.machine() not in _CHANGING:
        return False
    try:
        return killed_at(1, lambda: None) == "completed"
    except OSError:  # forbidden in this container
        return False


def killed_at(n: int, work: Callable[[], object]) -> str:
    """Run `work` in a child and kill it at its n-th call that changes the disk.

    Returns the name of the call that was not done, or "completed". A child that fails is an error.
    """
    child = _traced(work)
    for count, name in enumerate(_calls(child), 1):
        if count == n:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return name
    return "completed"


def full_from(n: int, work: Callable[[], object]) -> str:
    """Run `work` in a child whose disk is full from its n-th changing call on: what needs room
    fails with ENOSPC, and is not done. What does not (rename, unlink) still works. x86-64 only.

    Returns the name of the call that was the n-th, or "completed" if there were fewer.
    """
    child, nth = _traced(work), "completed"
    for count, name in enumerate(_calls(child), 1):
        if count == n:
            nth = name
        if count >= n and name in _NEED_ROOM:
            _ptrace(_POKEUSER, child, _ORIG_RAX, ctypes.c_void_p(-1))  # no such call
            _ptrace(_SYSCALL, child)
            os.waitpid(child, 0)  # its exit
            _ptrace(_POKEUSER, child, _RAX, ctypes.c_void_p(-errno.ENOSPC))
    return nth


def _traced(work: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        _run(work)
    os.waitpid(child, 0)  # its SIGSTOP
    _ptrace(_SETOPTIONS, child, 0, _SYSGOOD | _EXITKILL)
    return child


def _calls(child: int) -> Iterator[str]:
    """The name of each call that can change the disk, at its entry, until the child ends."""
    machine = platform.machine()
    names = {number: name for name, number in _CHANGING[machine].items()}
    opening = _OPENING[machine]
    info = _Info()
    while True:
        _ptrace(_SYSCALL, child)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            assert status == 0, f"the child ended with {status:#x}"
            return
        if os.WSTOPSIG(status) != signal.SIGTRAP | 0x80:
            continue
        _ptrace(_GET_SYSCALL_INFO, child, ctypes.sizeof(info), ctypes.addressof(info))
        if info.op != _ENTRY:
            continue
        flags = info.arguments[opening[info.number]] if info.number in opening else 0
        if flags & (os.O_CREAT | os.O_TRUNC):
            yield "open"
        elif info.number in names and not (names[info.number] == "write" and _said(info)):
            yield names[info.number]


def _said(info: _Info) -> bool:
    """Words to standard output or error are no change of the disk."""
    return bool(info.arguments[0] <= 2)


def _run(work: Callable[[], object]) -> None:
    """Never returns: nothing of the child may go on into the test."""
    status = 1
    try:
        _ptrace(_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        work()
        status = 0
    except BaseException:  # noqa: BLE001 - told, and its exit status fails the test
        traceback.print_exc()
    finally:
        os._exit(status)
