"""Emitted files of a test run go to a folder of its own; nothing is compiled in the background.

BLAS works on one thread: the tests have all cores already, and their matrices are small.
"""

import os

for _name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # read when NumPy and SciPy are loaded
    os.environ.setdefault(_name, "1")

import pytest  # noqa: E402

from tracejit import config  # noqa: E402
from tracejit.variant import Variant  # noqa: E402


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
