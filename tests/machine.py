"""A stand-in for the numba target: the numpy target's module with its products jitted.

It lets the tests of compiling in the background choose what is compiled, and how that fails.
"""

import os
import re
import time
from dataclasses import replace
from types import SimpleNamespace

from tracejit import variant
from tracejit.codegen import targets
from tracejit.codegen.targets import numpy

KERNEL = """
@njit({signatures!r}, cache=True, error_model="numpy", fastmath={{"contract"}})
def times(a, b, out):  # {comment}
    for i in range(a.size):
        out[i] = a[i] * b[i] {also}


"""
SIGNATURES = ["void(f8[::1], f8[::1], f8[::1])"]
# Part of what is compiled, and executed with it.
WHILE_COMPILING = """
@njit
def unused(x={expression}):
    return x


"""


class StandIn:
    """What is emitted: the signatures and a comment of the kernel, what it does also.

    meanwhile: an expression that is evaluated by whoever compiles or loads the kernel.
    """

    def __init__(self, also="", comment="kept", meanwhile="", signatures=SIGNATURES):
        self.also = also
        self.comment = comment
        self.meanwhile = meanwhile
        self.signatures = signatures
        self.emissions = 0
        self.target = SimpleNamespace(**vars(numpy))

    def install(self, setattr=setattr):
        """Put this in the place of the numba target."""
        find, emit = targets.find, variant.emit
        setattr(targets, "find", lambda name: self.target if name == "numba" else find(name))

        def emit_for(*args):
            emitted = emit(*args)
            return self.jitted(emitted) if args[-1] is self.target else emitted

        setattr(variant, "emit", emit_for)
        return self

    def jitted(self, emitted):
        """Put the kernel first, and call it where arrays are multiplied."""
        self.emissions += 1
        kernel = KERNEL.format(signatures=self.signatures, comment=self.comment, also=self.also)
        if self.meanwhile:
            kernel += WHILE_COMPILING.format(expression=self.meanwhile).lstrip()
        product = re.compile(r"(\w+) = np\.multiply\((\w+), (\w+), out=(\w+)\)")
        body, count = product.subn(r"times(\2, \3, \4); \1 = \4", emitted.text)
        text = "from numba import njit\n" + kernel.lstrip() + body
        shift = text[: -len(body)].count("\n")
        lines = {node: line + shift for node, line in emitted.lines.items()}
        return replace(emitted, text=text, lines=lines, machine=count > 0)


def wait_for_end(pid):
    """Wait until a process has ended, be it that nobody has asked how."""
    for _ in range(400):
        try:
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return
        except OSError:
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} is still there")
