"""Settings, read once from TRACEJIT_* environment variables and validated at import.

`settings` is the one object that the rest of the package reads; tests may set its fields.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec

from .errors import ConfigError

BACKENDS = ("auto", "numpy", "numba")


@dataclass(slots=True)
class Settings:
    """What can be set from outside; the field's comment names its environment variable."""

    cache_dir: str | None = None  # TRACEJIT_CACHE_DIR: where emitted files go
    debug: bool = False  # TRACEJIT_DEBUG=1: print the reason for each cache miss
    strict: bool = False  # TRACEJIT_STRICT=1: a fall-back to direct mode is an error
    check: str | None = None  # TRACEJIT_CHECK=nan: check every value, raise at the first NaN or Inf
    backend: str = "auto"  # TRACEJIT_BACKEND: the target when `backend=` is not given
    cache_size: int = 256  # TRACEJIT_CACHE_SIZE: signatures kept per function
    cache_bytes: int = 1 << 30  # TRACEJIT_CACHE_BYTES: what machine code and emitted files may take
    workers: int = 1  # TRACEJIT_WORKERS: processes that compile in the background; 0: none
    max_paths: int = 128  # TRACEJIT_MAX_PATHS: ways that branches on data may go, per signature


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read and validate the TRACEJIT_* variables of `environ`."""
    backend = _choice(environ, "TRACEJIT_BACKEND", BACKENDS) or "auto"
    check_backend(backend)
    return Settings(
        cache_dir=environ.get("TRACEJIT_CACHE_DIR") or None,
        debug=_flag(environ, "TRACEJIT_DEBUG"),
        strict=_flag(environ, "TRACEJIT_STRICT"),
        check=_choice(environ, "TRACEJIT_CHECK", (None, "nan")),
        backend=backend,
        cache_size=_positive(environ, "TRACEJIT_CACHE_SIZE", 256),
        cache_bytes=_positive(environ, "TRACEJIT_CACHE_BYTES", 1 << 30),
        workers=_whole(environ, "TRACEJIT_WORKERS", 1, 0),
        max_paths=_positive(environ, "TRACEJIT_MAX_PATHS", 128),
    )


def check_backend(backend: str | None) -> None:
    """Refuse a target that does not exist, or that lacks its library."""
    if backend is not None and backend not in BACKENDS:
        raise ConfigError(f"backend={backend!r} is not allowed; use one of: {', '.join(BACKENDS)}")
    if backend == "numba" and not has_numba():
        raise ConfigError("backend='numba' needs Numba: pip install tracejit[fast]")


@lru_cache(maxsize=1)
def has_numba() -> bool:
    """Tell whether Numba is installed, without importing it."""
    return find_spec("numba") is not None


def _flag(environ: Mapping[str, str], name: str) -> bool:
    return _choice(environ, name, (None, "0", "1")) == "1"


def _choice(environ: Mapping[str, str], name: str, allowed: tuple[str | None, ...]) -> str | None:
    value = environ.get(name) or allowed[0]
    if value not in allowed:
        names = ", ".join(str(a) for a in allowed if a is not None)
        raise ConfigError(f"{name}={value!r} is not allowed; use one of: {names}")
    return value


def _positive(environ: Mapping[str, str], name: str, default: int) -> int:
    return _whole(environ, name, default, 1)


def _whole(environ: Mapping[str, str], name: str, default: int, least: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdigit() or int(text) < least:
        raise ConfigError(f"{name}={text!r} is not allowed; use a whole number of at least {least}")
    return int(text)


settings = load()
