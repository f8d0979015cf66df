"""The worker: a process that compiles machine parts for another one and writes their entries.

Run as a file. Each line on stdin is a request in JSON, the first one the import path; each is
answered by a line. It ends when stdin does, in the middle of a compilation too, but never in the
middle of writing an entry. Whatever libraries print goes to stderr.
"""

import json
import os
import queue
import signal
import sys
import threading
from contextlib import suppress
from typing import Any

NICENESS = 10


def main() -> None:
    """Answer requests until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # that is for the process that we work for
    with suppress(OSError, AttributeError):  # Windows has priorities of another kind
        os.nice(NICENESS)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    writing = threading.Lock()
    threading.Thread(target=_listen, args=(requests, writing), daemon=True).start()
    sys.path[:] = requests.get()["path"]
    with suppress(Exception):  # said when it is asked for
        _set_up()
    while True:
        request = requests.get()
        try:
            answer = _answer(request, writing)
        except BaseException as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _listen(requests: "queue.SimpleQueue[dict[str, Any]]", writing: threading.Lock) -> None:
    for line in sys.stdin.buffer:
        requests.put(json.loads(line))
    with writing:
        os._exit(0)


def _set_up() -> None:
    """Import all that compiling needs, while what is to be compiled is still being written."""
    from tracejit.codegen import jitted

    jitted.set_up()


def _answer(request: dict[str, Any], writing: threading.Lock) -> dict[str, Any]:
    from tracejit.codegen import entries, jitted

    folder, name, text = request["folder"], request["name"], request["text"]
    versions = jitted.made_with()
    if entries.digest(text, versions) != name:
        raise RuntimeError(f"the worker has other versions than its caller: {versions}")
    entries.make_folder(folder)
    with entries.alone(folder, name):
        found = entries.read(folder, name, versions)
        if found is not None:  # another process was quicker
            return {"made": False}
        header, code = jitted.compile_part(text, name)
        with writing:
            entries.write(folder, name, header, code)
    with writing:
        entries.prune([folder, os.path.dirname(folder)], request["limit"])
    return {"made": True}


if __name__ == "__main__":
    main()
