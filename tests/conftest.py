"""Emitted files of a test run go to a folder of its own; nothing is compiled in the background."""

import pytest

from tracejit import config


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    folder.chmod(0o700)
    config.settings.cache_dir = str(folder)
    config.settings.workers = 0
    return folder

