"""How a function of scipy.special is declared that works element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....dag.op import Op, op


def ufunc(function: Any, vjp: Any, **fields: Any) -> Op:
    """Declare a function that broadcasts its arguments; a ufunc takes `out=`, too."""
    return op(
        f"special.{function.__name__}",
        function,
        stands_for=(function,),
        vjp=vjp,
        elementwise=True,
        out=isinstance(function, np.ufunc),
        **fields,
    )
