"""Files written whole, checked and locked: the few operations on a disk that the store is built from.

    with lock(Path("outputs/x.lock")):
        write(Path("outputs/x.json"), json_line({"a": 1}))

Nothing here follows a symbolic link that somebody has planted under the name of a file that is to be written, locked
or deleted: a link is removed, what it points to stays. A lock is filelock's (`flock`): the kernel releases it when its
owner dies, however it dies.
"""

import contextlib
import errno
import gzip
import hashlib
import json
import logging
import os
import platform
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says when a disk, a quota or a file is full."""
log = logging.getLogger(__name__)
_checksums: dict[tuple[int, ...], str] = {}  # state of a file -> sha256 of its bytes


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """An OSError within it names the file."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def write(path: Path, data: bytes) -> None:
    """Bytes to a new file. An OSError names it, and what was written is removed: a full disk needs the room."""
    try:
        path.unlink(missing_ok=True)
        _put(path, data, os.O_EXCL)
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        raise


def append(path: Path, data: bytes) -> None:
    _put(path, data, os.O_APPEND)


def _put(path: Path, data: bytes, flag: int) -> None:
    with naming(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | flag, 0o666)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)


def replace(path: Path, data: bytes) -> None:
    """As `write`, but a kill leaves the old bytes or the new ones, nothing between."""
    beside = path.with_name(f"{path.name}.new")
    write(beside, data)
    beside.replace(path)


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with naming(path):  # a full disk may show only here
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path) -> bytes:
    """Bytes of a file, unpacked if its name ends in .gz. OSError for a pipe, which would be waited for."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, "not a file", str(path))
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


def discard(path: Path) -> None:
    """Remove whatever is there under this name: a file, a folder with all in it, a link but not what it points to."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def keep_only(path: Path, is_kind: Callable[[int], bool]) -> None:
    """Remove what has this name and is of another kind: `stat.S_ISREG` for files, `stat.S_ISDIR` for folders."""
    if os.path.lexists(path) and not is_kind(path.lstat().st_mode):
        discard(path)


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Held by one process (and thread) at a time; others wait, and say so. Its file goes with it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    keep_only(path, stat.S_ISREG)  # anything else is no lock that this module has made
    held, owner = FileLock(path, poll_interval=0.05), os.getpid()
    with naming(path):
        try:
            held.acquire(timeout=0)
        except Timeout:
            log.warning("%s: waiting for %s", path, _owner(path))
            held.acquire()
    try:
        append(path, f"process {os.getpid()} on {platform.node()}\n".encode())
        yield
    finally:
        if os.getpid() == owner:  # not in a child of a fork
            path.unlink(missing_ok=True)  # while it is held: who waits for it sees that, and makes it anew
            held.release()


def _owner(path: Path) -> str:
    try:
        return path.read_text().splitlines()[-1]
    except (OSError, IndexError, ValueError):
        return "its owner"
