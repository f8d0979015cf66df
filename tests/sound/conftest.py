"""Long runs are skipped unless they are asked for: pytest -m fuzz tests/sound."""

from pathlib import Path

import numpy as np
import pytest


def pytest_collection_modifyitems(config, items):
    if "fuzz" in config.option.markexpr:
        return
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and item.get_closest_marker("fuzz"):
            item.add_marker(pytest.mark.skip(reason="takes long; choose it with -m fuzz"))


@pytest.fixture(autouse=True)
def shared_arrays_stay_as_they_are(request):
    """No test, and nothing that is tested, writes to the arrays that the tests share."""
    shared = {k: v for k, v in vars(request.module).items() if type(v) is np.ndarray}
    kept = {k: v.copy() for k, v in shared.items()}
    yield
    for name, array in shared.items():
        changed = not np.array_equal(array, kept[name])
        array[...] = kept[name]
        assert not changed, f"{name} was written to"
