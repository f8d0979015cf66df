"""Emitted files of a test run go to a folder of its own; nothing is compiled in the background."""

import pytest

from tracejit import config
from tracejit.variant import Variant


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    folder.chmod(0o700)
    config.settings.cache_dir = str(folder)
    config.settings.workers = 0
    return folder


@pytest.fixture
def interpreted(monkeypatch):
    """Modules of the numba target in place of those of the numpy target, not compiled.

    They are run as with NUMBA_DISABLE_JIT.
    """
    numba = pytest.importorskip("numba.core.config")
    emit_for = Variant.emit_for
    monkeypatch.setattr(numba, "DISABLE_JIT", 1)
    monkeypatch.setattr(Variant, "emit_for", lambda self, target: emit_for(self, "numba"))
