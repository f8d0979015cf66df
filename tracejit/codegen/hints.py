"""Hints: for which modules of the numpy target there is machine code on disk, probably.

A hint is an empty file beside the entries. It is looked for when a module is compiled first. That
is quick; where there is none, Numba is not imported and nothing emitted for it before it is hot.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from ..config import settings
from . import entries
from .compile import cache_folder


def folder() -> str:
    """The folder of the entries."""
    return os.path.join(cache_folder(settings.cache_dir), "machine")


def hint_of(text: str) -> str:
    """Name the hint of a module of the numpy target."""
    return entries.digest(entries.without_comments(text), [sys.version])


def hinted(hint: str) -> bool:
    """Tell whether machine code was once loaded in place of this module."""
    return os.path.exists(os.path.join(folder(), hint + ".hint"))


def remember(hint: str) -> None:
    """Note that machine code was loaded."""
    path = os.path.join(folder(), hint + ".hint")
    with suppress(OSError):
        if os.path.exists(path):
            entries.touch(path)
        else:
            entries.make_folder(folder())
            entries.replace(path, b"")


def forget(hint: str) -> None:
    """Note that there is none after all."""
    with suppress(OSError):
        os.remove(os.path.join(folder(), hint + ".hint"))
