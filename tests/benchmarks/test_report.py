"""The report, the comparison with an older run, the plot and the JSON file."""

import pytest

from benchmarks import plot, report
from benchmarks.compare import compared
from benchmarks.results import Results, full_speed, read
from benchmarks.rounds import QUICK, Timings


@pytest.fixture
def results():
    timings = Timings(
        seconds={
            "tracejit": [1e-6, 2e-6, 3e-6],
            "autograd": [1e-5, None, 6e-5],
            "numpy": [2e-6, 2e-6, 2e-6],
        },
        starts={"tracejit": {"first_two": 0.01, "full_speed": 0.5, "import": 0.1, "memory": 2**20}},
        cached_starts={"tracejit": {"first_two": 0.01, "full_speed": 0.2, "import": 0.1}},
        remarks={"autograd": ["loss is float64 instead of float32"]},
        failures={"torch": "Traceback\n  here\nValueError: no\n"},
        lacking={"floor": "nothing bounds it"},
    )
    return Results({"Python": "3"}, QUICK, {"scalar": timings}, absent={"jax": "no jax"})


def test_report_tells_everything(results):
    text = report.markdown(results)
    assert "| x**2 + x on a number | 2.00 (1.50 to 2.50) | 35.0 (22.5 to 47.5) |" in text
    assert "| x**2 + x on a number | 15.00 | 1.00 |" in text  # ratios, by rounds in common
    assert "- jax: no jax" in text
    assert "- floor: scalar (nothing bounds it)" in text
    assert "- scalar, autograd: loss is float64 instead of float32" in text
    assert "- scalar, torch: ValueError: no" in text
    assert "| x**2 + x on a number | 10.0 |" in text  # first two calls, ms
    assert "| x**2 + x on a number | 0.50 |" in text  # to full speed
    assert "| x**2 + x on a number | 0.30 |" in text  # from the cache, with the import
    assert "| x**2 + x on a number | 1.0 |" in text  # MiB


def test_report_of_nothing():
    assert "## Targets" in report.markdown(Results({}, QUICK))


def test_microseconds_have_three_digits_or_are_whole():
    seconds = (1.234e-6, 1.234e-5, 1.234e-4, 1.2345)
    found = [report.microseconds(s) for s in seconds]
    assert found == ["1.23", "12.3", "123", "1,234,500"]


def test_json_file_keeps_everything(results, tmp_path):
    path = tmp_path / "results.json"
    results.write(path)
    assert read(path) == results


def test_older_formats_are_refused(results, tmp_path):
    path = tmp_path / "results.json"
    path.write_text('{"format": 1}')
    with pytest.raises(SystemExit, match="another version"):
        read(path)


def test_comparison_with_an_older_run(results):
    old = Results({"time": "then"}, QUICK, {"scalar": Timings(seconds={"tracejit": [4e-6]})})
    lines = compared(old, results)
    assert lines[-1] == "| scalar, tracejit | 4.00 | 2.00 | 0.50 | - | - |"


def test_full_speed_with_imports():
    assert full_speed({"full_speed": 1.0, "import": 0.5}) == 1.0
    assert full_speed({"full_speed": 1.0, "import": 0.5}, with_imports=True) == 1.5
    assert full_speed({}) is None


def test_plot(results, tmp_path):
    pytest.importorskip("matplotlib")
    plot.draw(results, tmp_path / "ratios.png")
    assert (tmp_path / "ratios.png").stat().st_size > 1000
