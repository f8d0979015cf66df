"""Environment variables are validated, and say what is allowed."""

import pytest

from tracejit.config import load
from tracejit.errors import ConfigError


def test_defaults():
    settings = load({})
    assert not settings.debug and settings.backend == "auto" and settings.cache_dir is None


def test_all_set():
    settings = load(
        {
            "TRACEJIT_CACHE_DIR": "/x",
            "TRACEJIT_DEBUG": "1",
            "TRACEJIT_STRICT": "1",
            "TRACEJIT_CHECK": "nan",
            "TRACEJIT_BACKEND": "numpy",
            "TRACEJIT_CACHE_SIZE": "7",
            "TRACEJIT_CACHE_BYTES": "1000",
            "TRACEJIT_WORKERS": "0",
        }
    )
    assert settings.debug and settings.strict and settings.check == "nan"
    assert settings.cache_size == 7 and settings.cache_dir == "/x"
    assert settings.cache_bytes == 1000 and settings.workers == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRACEJIT_DEBUG", "yes"),
        ("TRACEJIT_CHECK", "inf"),
        ("TRACEJIT_BACKEND", "cuda"),
        ("TRACEJIT_CACHE_SIZE", "0"),
        ("TRACEJIT_CACHE_BYTES", "1e9"),
        ("TRACEJIT_WORKERS", "-1"),
    ],
)
def test_wrong_values(name, value):
    with pytest.raises(ConfigError, match=name):
        load({name: value})
