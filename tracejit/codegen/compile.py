"""From emitted text to something that can be called: a real file, a module, a pool of buffers.

Files go to the cache folder, named by the hash of their text, and are never rewritten. The folder
must belong to this user and be writable by nobody else, because what lies there is executed.
"""

from __future__ import annotations

import ast
import linecache
import os
import re
import stat
import sys
import warnings
from collections.abc import Callable
from functools import lru_cache, partial
from types import TracebackType
from typing import Any

from ..config import settings
from ..dag.node import Node, location
from ..errors import TracejitWarning
from ..pool import Pool
from .emit import Emitted
from .entries import touch


class Compiled:
    """An emitted module, ready to run.

    run: takes the call's values in order; `run.compiled` is this object. accepts: tells whether a
    call is for it. unseen: the exception that `run` raises on a path that was not recorded; None:
    there is none. part: the machine code that it uses, if any.
    """

    __slots__ = ("_lines", "accepts", "emitted", "part", "path", "pool", "run", "unseen")

    def __init__(self, emitted: Emitted, path: str, namespace: dict[str, Any]) -> None:
        self.emitted = emitted
        self.path = path
        self.accepts: Callable[..., bool] = namespace["accepts"]
        self.unseen: type[Exception] | None = namespace.get("Unseen")
        self.part: Any = None
        self.pool: Pool | None = None
        function = namespace[emitted.name]
        if emitted.extras:
            function = partial(function, **emitted.extras)
        self.run: Callable[..., Any] = function
        if emitted.has_slots:
            self.pool = Pool(namespace["allocate"], emitted.nbytes)
            self.run = self.pool.lend(function)
        vars(self.run)["compiled"] = self
        self._lines = {line: node for node, line in emitted.lines.items()}

    def node_at(self, trace: TracebackType | None) -> Node | None:
        """Find the innermost node whose line a traceback passes through."""
        found = None
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self.path:
                found = self._lines.get(trace.tb_lineno, found)
            trace = trace.tb_next
        return found

    def located(self, error: Exception) -> Exception:
        """Add the user's line to an exception that `run` has raised."""
        node = self.node_at(error.__traceback__)
        if node is not None and node.site is not None:
            note = f"in {node.op.path or node.op.name} at {location(node.site)}"
            if hasattr(error, "add_note"):
                error.add_note(note)
            elif error.args and isinstance(error.args[0], str):
                error.args = (f"{error.args[0]} ({note})", *error.args[1:])
        return error

    def drawn(self, trace: TracebackType | None) -> tuple[Any, ...]:
        """Collect the random numbers that the call of a traceback had drawn when it ended."""
        found: dict[str, Any] = {}
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self.path:
                known = trace.tb_frame.f_locals
                found.update((name, known[name]) for name in self.emitted.draws if name in known)
            trace = trace.tb_next
        return tuple(found.values())


def load(emitted: Emitted) -> Compiled:
    """Write the text to its file, if it is not there yet, and execute it."""
    return load_driver(emitted, emitted.text, {})


def load_driver(emitted: Emitted, driver: str | ast.Module, functions: dict[str, Any]) -> Compiled:
    """Write the text to its file and execute the part of it that uses these functions."""
    path = _publish(emitted)
    code = compile(driver, path, "exec", dont_inherit=True)
    name = os.path.basename(path).removesuffix(".py")
    namespace: dict[str, Any] = {"__name__": name, "__file__": path, **functions}
    exec(code, namespace)
    return Compiled(emitted, path, namespace)


def _publish(emitted: Emitted) -> str:
    import hashlib  # these two are slow to import, and needed here alone
    import tempfile

    digest = hashlib.sha256(emitted.text.encode()).hexdigest()[:16]
    stem = re.sub(r"\W", "_", emitted.name, flags=re.ASCII)
    name = f"{stem}_{digest}.py"

    def write(folder: str) -> str:
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            handle, temporary = tempfile.mkstemp(dir=folder, suffix=".tmp")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(emitted.text)
            os.replace(temporary, path)
            linecache.checkcache(path)
        else:
            touch(path)
        return path

    try:
        return write(cache_folder(settings.cache_dir))
    except OSError as error:  # the folder was removed, or the disk is full
        return write(_private_folder(str(error)))


@lru_cache(maxsize=8)
def cache_folder(wanted: str | None) -> str:
    """Find or make the folder for emitted files."""
    path = os.path.expanduser(wanted) if wanted else _user_cache()
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        problem = _problem(path)
    except OSError as error:
        problem = str(error)
    if problem is None:
        return path
    return _private_folder(f"not to {path}, because {problem}")


@lru_cache(maxsize=1)
def _fallback_folder() -> str:
    import atexit
    import shutil
    import tempfile

    path = tempfile.mkdtemp(prefix="tracejit-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def _private_folder(reason: str) -> str:
    """Make a folder for this process alone, and say why."""
    path = _fallback_folder()
    warnings.warn(f"emitted files go to {path}: {reason}", TracejitWarning, stacklevel=2)
    return path


def _problem(path: str) -> str | None:
    """Say why a folder cannot be trusted with code, or None."""
    if not os.access(path, os.W_OK | os.X_OK):
        return "it cannot be written to"
    if not hasattr(os, "getuid"):  # Windows: the profile folder is private
        return None
    status = os.stat(path)
    if status.st_uid != os.getuid():
        return "it belongs to another user"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "others can write to it (chmod 700 mends that)"
    return None


def _user_cache() -> str:
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return os.path.join(base, "tracejit")
