"""Files written whole, checked and locked: the few operations on a disk that the store is built from.

    with lock(Path("outputs/x.lock")):
        write(Path("outputs/x.json"), json_line({"a": 1}))

POSIX only (`flock`). A lock is released by the kernel when its owner dies, however it dies. On NFS it works
across hosts if lock services run (Linux makes a byte-range lock of it); a file system that says that it has
no locks raises OSError; one that keeps them to one host says nothing.
"""

import contextlib
import fcntl
import gzip
import hashlib
import json
import logging
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)
_checksums: dict[tuple[int, ...], str] = {}  # state of a file -> sha256 of its bytes
_held_locks: set[int] = set()


def write(path: Path, data: bytes) -> None:
    """Bytes to a file. An OSError names it, and what was written is removed: a full disk needs the room."""
    try:
        path.write_bytes(data)
    except OSError as error:
        error.filename = error.filename or str(path)
        path.unlink(missing_ok=True)
        raise


def replace(path: Path, data: bytes) -> None:
    """As `write`, but a kill leaves the old bytes or the new ones, nothing between."""
    beside = path.with_name(f"{path.name}.new")
    write(beside, data)
    beside.replace(path)


def append(path: Path, data: bytes) -> None:
    try:
        with path.open("ab") as file:
            file.write(data)
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:  # a full disk may show only here
        error.filename = error.filename or str(path)
        raise
    finally:
        os.close(descriptor)


def read(path: Path) -> bytes:
    """Bytes of a file, unpacked if its name ends in .gz."""
    return gzip.decompress(path.read_bytes()) if path.name.endswith(".gz") else path.read_bytes()


def json_line(value: Any, indent: int | None = None) -> bytes:
    """A JSON value as one line of UTF-8. ValueError for NaN, TypeError for what JSON does not have."""
    try:
        return f"{json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)}\n".encode()
    except UnicodeEncodeError:  # half a surrogate pair, which UTF-8 cannot hold and an escape can
        return f"{json.dumps(value, allow_nan=False, indent=indent)}\n".encode()


def state(path: Path) -> dict[str, Any]:
    """{"bytes": size, "sha256": checksum}; the checksum is taken once per process and state of the file."""
    status = path.stat()
    stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    if stamp in _checksums:
        return {"bytes": status.st_size, "sha256": _checksums[stamp]}
    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    # File systems tick in milliseconds: a file of just now could change again and keep its stamp.
    if time.time() - max(status.st_mtime, status.st_ctime) > 2:
        _checksums[stamp] = checksum
    return {"bytes": status.st_size, "sha256": checksum}


def damage(path: Path, expected: dict[str, Any]) -> tuple[str, str] | None:
    """None if the file has the bytes of that `state`; otherwise what was expected and what was found."""
    if not path.is_file():
        return f"{expected['bytes']} bytes", "no file"
    size = path.stat().st_size
    if size != expected["bytes"]:
        return f"{expected['bytes']} bytes", f"{size}"
    found = state(path)["sha256"]
    return None if found == expected["sha256"] else (f"sha256 {expected['sha256']}", found)


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Held by one process (and thread) at a time; others wait, and say for whom. Its file goes with it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while (descriptor := _try_lock(path)) is None:
        pass
    _held_locks.add(descriptor)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {platform.node()}".encode(), 0)
        yield
    finally:
        if descriptor in _held_locks:  # not in a child of a fork
            path.unlink(missing_ok=True)
            _held_locks.discard(descriptor)
            os.close(descriptor)


def _try_lock(path: Path) -> int | None:
    """A locked descriptor; None if the lock's file was removed by its last owner after it was opened here."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    locked = False
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.warning("%s: waiting for %s", path, os.pread(descriptor, 200, 0).decode() or "its owner")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        locked = path.exists() and os.fstat(descriptor).st_ino == path.stat().st_ino
        return descriptor if locked else None
    except FileNotFoundError:  # removed between the two looks at it
        return None
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
    finally:
        if not locked:
            os.close(descriptor)


def _let_go_in_child() -> None:
    """A forked child shares the lock; if it outlived a killed owner, it would hold it for ever."""
    for descriptor in _held_locks:
        os.close(descriptor)
    _held_locks.clear()


os.register_at_fork(after_in_child=_let_go_in_child)
