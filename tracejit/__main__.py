"""The command line: `python -m tracejit ops [--markdown]`, `python -m tracejit cache [--clear]`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    parser = argparse.ArgumentParser(prog="tracejit", description="Look into tracejit.")
    commands = parser.add_subparsers(dest="command", required=True)
    ops = commands.add_parser("ops", help="list the supported functions of NumPy and SciPy")
    ops.add_argument("--markdown", action="store_true", help="as the table in docs/ops.md")
    cache = commands.add_parser("cache", help="tell where emitted files and machine code are")
    cache.add_argument("--clear", action="store_true", help="remove them")
    chosen = parser.parse_args(arguments)
    if chosen.command == "ops":
        list_ops(chosen.markdown)
    else:
        show_cache(chosen.clear)
    return 0


def list_ops(markdown: bool) -> None:
    """Print the supported functions and what each has."""
    from .supported import lines

    for line in lines(markdown):
        print(line)


def show_cache(clear: bool) -> None:
    """Print where emitted files and machine code are, how much there is, and remove it if asked."""
    from .codegen.compile import cache_folder
    from .codegen.hints import folder
    from .config import settings

    for path, what, endings in (
        (cache_folder(settings.cache_dir), "files", (".py",)),
        (folder(), "entries of machine code", (".code", ".hint", ".lock")),
    ):
        names = os.listdir(path) if os.path.isdir(path) else []
        files = [os.path.join(path, name) for name in names if name.endswith(endings)]
        size = sum(os.path.getsize(file) for file in files)
        count = sum(file.endswith(endings[0]) for file in files)
        print(f"{path}: {count} {what}, {size / 1024:.0f} KiB")
        if clear:
            for file in files:
                os.remove(file)
    if clear:
        print("removed")


if __name__ == "__main__":
    raise SystemExit(main())
