"""Functions of scipy.integrate that call a function where its values say, other than odeint.

They run on plain values, in direct mode; where that would lose a gradient, the error says what to
do instead.
"""

from __future__ import annotations

from typing import Any

import scipy.integrate

from ..dag.op import MISSING, composite
from ..errors import LostGradientError, UnsupportedError
from ..trace import dispatch
from ..trace.recorder import leave


def _run_plainly(name: str) -> None:
    real = getattr(scipy.integrate, name)

    @composite(real, vjp=MISSING)
    def call(*args: Any, **kwargs: Any) -> Any:
        leave(f"scipy.integrate.{name} calls a function")
        try:
            return real(*dispatch.given_out(args), **dispatch.given_out(kwargs))
        except LostGradientError as error:
            raise UnsupportedError(
                f"scipy.integrate.{name} has no gradient: integrate samples with "
                "scipy.integrate.simpson, or solve dI/dx = f(x) with scipy.integrate.odeint"
            ) from error


for _name in ("quad", "dblquad", "tplquad", "nquad", "quad_vec", "solve_ivp"):
    _run_plainly(_name)
