"""What is being written stands beside its place under another name; what a killed run left goes with the next one.

``.NAME.PID-TOKEN.partial`` is held by a lock for as long as the process that writes it lives: the system gives the lock
back however that ends, and no other process gets it by having the same number. Who gets the lock may clean up.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import secrets
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # there are no such locks: leftovers stay
    fcntl = None

PARTIAL, OLD = ".partial", ".old"
TAKEN = (errno.ENOTEMPTY, errno.EEXIST)
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of renameat2(2)


@contextmanager
def claimed(target: Path, *, is_folder: bool) -> Iterator[Path]:
    """A new folder, or an empty file, beside ``target``; what stands there in the end is removed.

    Leftovers of processes that are gone are removed before.

    Raises
    ------
    OSError
        It can't be made.
    """
    tidy(target)
    while True:
        partial = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}{PARTIAL}")
        lock = None
        try:  # from before it is there, so that a signal finds no gap
            lock = _made(partial, is_folder)
            if lock is not None and _is_same(lock, partial):  # else another run took it for a leftover before that
                yield partial
                return
        finally:
            _remove(partial)
            _unlock(lock)


@contextmanager
def temporary() -> Iterator[Path]:
    """A folder for what is only needed now, that nobody else can read; in the system's place for such, or TMPDIR.

    Raises
    ------
    OSError
        It can't be made.
    """
    with claimed(Path(tempfile.gettempdir(), "consensus"), is_folder=True) as folder:
        folder.chmod(0o700)
        yield folder


@contextmanager
def held(folder: Path, waits: Callable[[], None]) -> Iterator[None]:
    """Nobody else holds ``folder`` from here on: for who reads it, and writes it again with something more.

    Where another does, ``waits`` is called, and then it is waited for. A folder that is not there is not held; nor are
    any where there are no such locks.
    """
    tidy(folder)
    lock = None
    try:
        while fcntl is not None:
            try:
                lock = os.open(folder, os.O_RDONLY)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    waits()
                    fcntl.flock(lock, fcntl.LOCK_EX)
            except OSError:  # it is not there, or lies in a system of files that has no locks
                break
            if _is_same(lock, folder):
                break
            os.close(lock)  # what was waited for stands elsewhere by now, or is gone
            lock = None
        yield
    finally:
        _unlock(lock)


def put(partial: Path, out: Path, *, overwrite: bool) -> bool:
    """Put a folder in the place of ``out``: at once, so that there is always one of both, where the system can do that.

    Else two renames swap them. Were the process killed between these, the next run would put back the old one. False
    if a folder that is not empty stands there, and ``overwrite`` is not set.

    Raises
    ------
    OSError
        It is refused; then ``out`` is as it was.
    """
    try:
        partial.rename(out)
        return True
    except OSError as error:
        if error.errno not in TAKEN:
            raise
    if not overwrite:
        return False
    if _exchanged(partial, out):
        return True
    old = partial.with_suffix(OLD)
    lock = _locked(out)
    out.rename(old)
    try:
        partial.rename(out)
    except OSError:
        old.rename(out)
        raise
    finally:
        _unlock(lock)
    _remove(old)
    return True


def tidy(target: Path) -> None:
    """Remove what processes that are gone left beside ``target``; an old output that one had put aside comes back."""
    ours = re.compile(rf"\.{re.escape(target.name)}\.([0-9]+)(-[0-9a-f]+)?({PARTIAL}|{OLD})")
    try:
        found = [(path, ours.fullmatch(path.name)) for path in target.parent.iterdir()]
    except OSError:  # who writes there will say so
        return
    for path, match in found:
        if match is None or (match[2] is None and _is_another(int(match[1]))):
            continue  # not ours, or without a lock, as up to 0.4
        lock = _locked(path)
        if lock is None:
            continue
        try:
            if match[3] == OLD and not target.exists():
                with suppress(OSError):
                    path.rename(target)
            _remove(path)
        finally:
            os.close(lock)


def _made(partial: Path, is_folder: bool) -> int | None:
    """A lock on a new folder or file; None if another run removed it before it was locked, as it does with leftovers.

    Killed before it is locked, what was made is empty, and cleaned like any other.
    """
    if is_folder:
        partial.mkdir()
    else:
        partial.touch(exist_ok=False)
    try:
        lock = os.open(partial, os.O_RDONLY)
    except FileNotFoundError:
        return None
    if fcntl is not None:
        with suppress(OSError):  # as some systems of files over a network refuse
            fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _locked(path: Path) -> int | None:
    """A lock on what stands there; None if a process that lives has it, or it can't be had."""
    if fcntl is None:
        return None
    try:
        lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    if _is_same(lock, path):
        return lock
    os.close(lock)
    return None


def _unlock(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


def _is_same(lock: int, path: Path) -> bool:
    """Whether what is open still stands there."""
    try:
        return os.path.samestat(os.fstat(lock), path.stat())
    except OSError:
        return False


def _is_another(process: int) -> bool:
    """Whether another process of this number lives."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it is somebody else's, or no number of a process
        return True
    return True


def _exchanged(one: Path, other: Path) -> bool:
    """Swap two names in one step; whether the system could."""
    try:
        swap = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):  # another system than Linux
        return False
    return bool(swap(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
