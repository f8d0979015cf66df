"""Machine code on disk: one file an entry, named by all that it was made from.

An entry begins with a line that has the hash of all the rest, then has a line of JSON (a `Header`)
and then the code of each function. It is written beside its place and renamed into it, so that many
processes may read and write at once; what is damaged, cut short or foreign is not there. Nothing is
read that another user could have written.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass

FORMAT = 1  # of the entries; part of their names
SUFFIX = ".code"
YOUNG = (
    3600.0  # seconds; what was used since then is never pruned: somebody may be about to read it
)
_MAGIC = b"tracejit machine code "
_OURS = (SUFFIX, ".py", ".hint", ".tmp", ".lock")
# A line up to its comment: strings, and what is in none.
_BEFORE = re.compile(r"""(?:[^#"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*""")


@dataclass(frozen=True, slots=True)
class Header:
    """What an entry holds.

    made_with: versions and processor. functions: of each its name, the seconds that compiling it
    took, and how many bytes its code has, for each of its signatures.
    """

    made_with: list[str]
    functions: list[tuple[str, float, list[int]]]


Code = dict[str, list[bytes]]  # by function, for each of its signatures


def digest(text: str, made_with: Iterable[str]) -> str:
    """Name the entry of a text that was compiled with these versions on this processor."""
    import hashlib  # what is slow to import and not needed by every process is imported where it is

    parts = "\0".join([str(FORMAT), *made_with, text])
    return hashlib.sha256(parts.encode()).hexdigest()[:32]


def without_comments(text: str) -> str:
    """Blank the comments of emitted code; lines keep their numbers."""
    return "\n".join(
        line if "#" not in line else _BEFORE.match(line)[0].rstrip()  # type: ignore[index]
        for line in text.split("\n")
    )


def private(path: str) -> bool:
    """Tell whether a file or folder is this user's, and writable by nobody else."""
    if not hasattr(os, "getuid"):  # Windows: the profile folder is private
        return True
    status = os.lstat(path)
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def make_folder(path: str) -> None:
    """Make the folder of entries, for this user alone."""
    os.makedirs(path, mode=0o700, exist_ok=True)
    if not private(path):
        raise PermissionError(f"others can write to {path}")


def write(folder: str, name: str, header: Header, code: Code) -> None:
    """Publish an entry."""
    import hashlib
    import json

    blobs = [blob for function, *_ in header.functions for blob in code[function]]
    rest = b"".join([json.dumps(asdict(header)).encode(), b"\n", *blobs])
    begin = _MAGIC + hashlib.sha256(rest).hexdigest().encode() + b"\n"
    replace(os.path.join(folder, name + SUFFIX), begin + rest)


def replace(path: str, content: bytes) -> None:
    """Write a file as a whole, or not at all."""
    import tempfile

    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.remove(temporary)
        raise


def read(folder: str, name: str, made_with: Sequence[str]) -> tuple[Header, Code] | None:
    """Read an entry; None if there is none that is whole, ours, and made with the same things."""
    path = os.path.join(folder, name + SUFFIX)
    try:
        if not private(folder) or not private(path):
            return None
        with open(path, "rb") as file:
            content = file.read()
    except OSError:
        return None
    found = _parse(content)
    if found is None or found[0].made_with != [*made_with]:
        remove(folder, name)
        return None
    touch(path)
    return found


def remove(folder: str, name: str) -> None:
    """Remove an entry that is of no use."""
    with suppress(OSError):
        os.remove(os.path.join(folder, name + SUFFIX))


def _parse(content: bytes) -> tuple[Header, Code] | None:
    import hashlib
    import json

    begin, _, rest = content.partition(b"\n")
    if begin != _MAGIC + hashlib.sha256(rest).hexdigest().encode():
        return None
    line, _, blobs = rest.partition(b"\n")
    said = json.loads(line)
    functions = [(n, seconds, sizes) for n, seconds, sizes in said["functions"]]
    code: Code = {}
    position = 0
    for function, _, sizes in functions:
        code[function] = []
        for size in sizes:
            code[function].append(blobs[position : position + size])
            position += size
    return Header(said["made_with"], functions), code


def touch(path: str) -> None:
    """Note that a file was used now; when it was written stays as it is."""
    with suppress(OSError):
        os.utime(path, (time.time(), os.stat(path).st_mtime))


@contextmanager
def alone(folder: str, name: str) -> Iterator[None]:
    """Let one process at a time make an entry, where the system has locks for that.

    A lock goes with its process, however that ends.
    """
    path = os.path.join(folder, name + ".lock")
    try:
        handle = _locked(path)
    except (ImportError, OSError):
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            os.remove(path)
        os.close(handle)


def _locked(path: str) -> int:
    """Open and lock a file; the one who had the lock before has removed his."""
    import fcntl

    while True:
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                return handle
        except FileNotFoundError:
            pass
        except OSError:
            os.close(handle)
            raise
        os.close(handle)


def prune(folders: Iterable[str], limit: int) -> None:
    """Remove what was not used for longest until the files take at most `limit` bytes."""
    now = time.time()
    files = []
    for folder in folders:
        with suppress(OSError), os.scandir(folder) as found:
            for item in found:
                if item.is_file(follow_symlinks=False) and item.name.endswith(_OURS):
                    status = item.stat(follow_symlinks=False)
                    used = max(status.st_atime, status.st_mtime)
                    files.append((used, status.st_size, item.path))
    total = sum(size for _, size, _ in files)
    for used, size, path in sorted(files):
        if used > now - YOUNG:
            break
        if total > limit or path.endswith((".tmp", ".lock")):  # left behind by a killed process
            with suppress(OSError):
                os.remove(path)
                total -= size
