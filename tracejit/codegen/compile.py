"""From emitted text to something that can be called: a real file, a module, a pool of buffers.

Files go to the cache folder, named by the hash of their text, and are never rewritten. The folder
must belong to this user and be writable by nobody else, because what lies there is executed.
"""

from __future__ import annotations

import atexit
import hashlib
import linecache
import os
import re
import shutil
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from types import TracebackType
from typing import Any

from ..config import settings
from ..dag.node import Node
from ..errors import TracejitWarning
from ..pool import Pool
from .emit import Emitted


class Compiled:
    """An emitted module, ready to run.

    run: takes the call's values in order. accepts: tells whether a call is for it.
    """

    __slots__ = ("_lines", "accepts", "emitted", "path", "pool", "run")

    def __init__(self, emitted: Emitted, path: Path, namespace: dict[str, Any]) -> None:
        self.emitted = emitted
        self.path = path
        self.accepts: Callable[..., bool] = namespace["accepts"]
        self.pool: Pool | None = None
        function = namespace[emitted.name]
        if emitted.extras:
            function = partial(function, **emitted.extras)
        self.run: Callable[..., Any] = function
        if emitted.has_slots:
            self.pool = Pool(namespace["allocate"], emitted.nbytes)
            self.run = _with_pool(function, self.pool)
        self._lines = {line: node for node, line in emitted.lines.items()}

    def node_at(self, trace: TracebackType | None) -> Node | None:
        """Find the node whose line a traceback passes through."""
        filename = str(self.path)
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == filename:
                return self._lines.get(trace.tb_lineno)
            trace = trace.tb_next
        return None


def _with_pool(function: Callable[..., Any], pool: Pool) -> Callable[..., Any]:
    take, give = pool.take, pool.give

    def run(*args: Any) -> Any:
        slots = take()
        result = function(*args, slots=slots)
        give(slots)
        return result

    return run


def load(emitted: Emitted) -> Compiled:
    """Write the text to its file, if it is not there yet, and execute it."""
    path = _publish(emitted)
    code = compile(emitted.text, str(path), "exec")
    namespace: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
    exec(code, namespace)
    return Compiled(emitted, path, namespace)


def _publish(emitted: Emitted) -> Path:
    digest = hashlib.sha256(emitted.text.encode()).hexdigest()[:16]
    stem = re.sub(r"\W", "_", emitted.name, flags=re.ASCII)
    path = _folder(settings.cache_dir) / f"{stem}_{digest}.py"
    if not path.exists():
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(emitted.text)
        os.replace(temporary, path)
        linecache.checkcache(str(path))
    return path


@lru_cache(maxsize=8)
def _folder(wanted: str | None) -> Path:
    """Find or make the folder for emitted files."""
    path = Path(wanted).expanduser() if wanted else _user_cache()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        problem = _problem(path)
    except OSError as error:
        problem = str(error)
    if problem is None:
        return path
    private = Path(tempfile.mkdtemp(prefix="tracejit-"))
    atexit.register(shutil.rmtree, private, ignore_errors=True)
    warnings.warn(
        f"emitted files go to {private} and not to {path}: {problem}", TracejitWarning, stacklevel=2
    )
    return private


def _problem(path: Path) -> str | None:
    """Say why a folder cannot be trusted with code, or None."""
    if not os.access(path, os.W_OK | os.X_OK):
        return "it cannot be written to"
    if not hasattr(os, "getuid"):  # Windows: the profile folder is private
        return None
    status = path.stat()
    if status.st_uid != os.getuid():
        return "it belongs to another user"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "others can write to it (chmod 700 mends that)"
    return None


def _user_cache() -> Path:
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tracejit"
