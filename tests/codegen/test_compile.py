"""Where emitted files go: a folder that this user alone can write to."""

import os
import stat

import numpy as np
import pytest

from tracejit import TracejitWarning, config, jit_grad
from tracejit.codegen.compile import cache_folder

posix = pytest.mark.skipif(not hasattr(os, "getuid"), reason="POSIX permissions")


@pytest.fixture(autouse=True)
def fresh():
    cache_folder.cache_clear()
    yield
    cache_folder.cache_clear()


@posix
def test_the_folder_is_private(tmp_path):
    wanted = tmp_path / "new"
    assert cache_folder(str(wanted)) == str(wanted)
    assert stat.S_IMODE(wanted.stat().st_mode) == 0o700


@posix
def test_a_folder_that_others_can_write_to_is_refused(tmp_path):
    tmp_path.chmod(0o777)
    with pytest.warns(TracejitWarning, match="others can write"):
        folder = cache_folder(str(tmp_path))
    assert folder != str(tmp_path)
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700


@posix
def test_a_folder_of_another_user_is_refused(tmp_path, monkeypatch):
    tmp_path.chmod(0o700)
    monkeypatch.setattr(os, "getuid", lambda: os.stat(tmp_path).st_uid + 1)
    with pytest.warns(TracejitWarning, match="another user"):
        assert cache_folder(str(tmp_path)) != str(tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(TracejitWarning):
        assert os.path.isdir(cache_folder(str(tmp_path / "file" / "folder")))


def test_a_published_file_is_not_written_again(tmp_path, monkeypatch):
    tmp_path.chmod(0o700)
    monkeypatch.setattr(config.settings, "cache_dir", str(tmp_path))

    def f(x):
        return np.sum(x**3)

    for _ in range(2):
        df = jit_grad(f)
        for _ in range(3):
            df(np.ones(2))
        files = list(tmp_path.glob("*.py"))
        assert len(files) == 1
        os.utime(files[0], (1, 1))
    assert files[0].stat().st_mtime == 1
