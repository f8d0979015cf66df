"""The function `allocate` of an emitted module: one set of buffers, typed views of byte slabs."""

from __future__ import annotations

import ast
from collections import Counter

from . import syntax as s
from .buffers import Buffers
from .constants import Constants


def allocate_function(
    buffers: Buffers, names: list[str], slab_names: list[str], constants: Constants
) -> list[ast.stmt]:
    """Write the function that makes one set of buffers."""
    slots = buffers.slots
    if not slots:
        return []
    body: list[ast.stmt] = []
    views: list[ast.expr] = []
    counts = Counter(slot.slab for slot in slots)
    shared = {slab for slab, count in counts.items() if count > 1}
    for slab in sorted(shared):
        size = s.literal(buffers.slabs[slab])
        empty = s.call("np.empty", size, s.name("np.uint8"))
        body.append(s.assign(slab_names[slab], empty))
    for slot in slots:
        spec = slot.spec
        constants.note_dtype(spec.dtype)
        order = s.literal("F") if slot.layout == "F" else None
        shape, dtype = s.literal(spec.shape), s.literal(spec.dtype)
        if slot.slab not in shared:
            views.append(s.call("np.empty", shape, dtype, order=order))
            continue
        stretch = slice(slot.offset or None, slot.offset + spec.nbytes)
        part = s.subscript(s.name(slab_names[slot.slab]), s.literal(stretch))
        kwargs = {} if order is None else {"order": order}
        views.append(s.method(s.method(part, "view", dtype), "reshape", shape, **kwargs))
    lines = [
        s.assign(name, view, str(slot.spec))
        for name, view, slot in zip(names, views, slots, strict=True)
    ]
    given: list[ast.expr] = [s.name(name) for name in names]
    body += [*lines, ast.Return(ast.Tuple(given, ast.Load()))]
    return [s.function("allocate", [], [], "Make the buffers of one call.", body)]
