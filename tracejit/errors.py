"""Every error and warning of tracejit, each with code that causes it and the fix.

All errors derive from TracejitError and from the built-in exception that fits, so that
`except TypeError` works as it does for NumPy. Messages say what happened, where (the user's
file and line) and what to do.
"""

from __future__ import annotations


class TracejitError(Exception):
    """Base class of all errors that tracejit raises itself."""


class TracejitWarning(UserWarning):
    """Something works, but not as fast or not as meant: a fall-back, a loss without parameters."""


class UnsupportedError(TracejitError, NotImplementedError):
    """A NumPy function, method or keyword that cannot be recorded.

    >>> jit_grad(lambda x: np.sum(np.fft.fft(x)))(x)     # no rule for np.fft.fft
    Fix: write it with supported functions; the message names the nearest one.
    """


class MissingGradientError(TracejitError, NotImplementedError):
    """A recorded operation has no gradient rule for an input that the loss depends on.

    Every NumPy function that is recorded has its rules, so this is about ops declared elsewhere.
    Fix: declare the rule, use a differentiable function, or keep the value out of the loss.
    """


class GradientRuleError(TracejitError, ValueError):
    """A rule of defvjp or defjvp cannot be called, raises, or gives what is no gradient.

    >>> defvjp(scale, lambda g, out, x, y: np.sum(g))    # x has the shape (2, 3)
    >>> defvjp(scale, lambda ans, x, y: lambda g: g * y) # as HIPS autograd has it
    Fix: take (g, out, *args), and return an array of the argument's shape; the message names the
    rule, and what it has to give.
    """


class LostGradientError(TracejitError, TypeError):
    """A value that depends on the parameters would leave the trace and lose its gradient.

    >>> table = np.repeat(0.0, 3); table[0] = x[0] * 2   # an array that is not recorded
    >>> scipy.special.expit(float(x[0]))                 # C code sees only a float
    Fix: build the array with np.zeros, np.stack or np.concatenate; call functions that record.
    """


class WriteToArgumentError(TracejitError, ValueError):
    """A traced function writes in place to one of its arguments.

    >>> def f(x): x += 1.0; return np.sum(x)
    Fix: `x = x + 1.0`, or work on a copy: `x = x.copy()`.
    """


class ParameterTypeError(TracejitError, TypeError):
    """A parameter leaf, argument or output is of a type that has no gradient.

    >>> jit_grad(lambda x: np.sum(x))(np.arange(3))      # integers have no gradient
    Fix: use floats: `np.arange(3.0)`.
    """


class GradientCheckError(TracejitError, AssertionError):
    """The derivatives of a function are not those of finite differences.

    >>> defvjp(square, lambda g, out, x: g * x)          # should be 2 * g * x
    >>> gradcheck(square, 3.0, raise_on_error=True)
    Fix: correct the rule that the message leads to; keep arguments away from kinks.
    """


class NotScalarError(TracejitError, ValueError):
    """The first output is not a single real number, so its gradient is not defined.

    >>> jit_grad(lambda x: x * 2)(np.ones(3))
    Fix: return a scalar (`np.sum(...)`), or pass `partialGrad=True` and dL/d(output).
    """


class ShapeError(TracejitError, ValueError):
    """An array passed for dL/d(output) does not have the output's shape."""


class ConvergenceError(TracejitError, RuntimeError):
    """An equation was not solved, or its solution has no derivative there.

    >>> fixed_point(lambda x: 2.0 * x + 1.0, 0.0)        # every step leads away from x = -1
    >>> grad(lambda a: root(lambda x: (x - a) ** 2, 3.0))(1.0)       # a double root
    Fix: start nearer to the solution, damp the iteration or take another method, scale the
    unknowns, allow a larger tolerance; the message tells how far off it is.
    """


class FallbackError(TracejitError, RuntimeError):
    """With TRACEJIT_STRICT=1: a function would have run in direct mode instead of compiled."""


class ConfigError(TracejitError, ValueError):
    """A TRACEJIT_* environment variable or an option has a value that is not allowed."""


class NonFiniteError(TracejitError, FloatingPointError):
    """With TRACEJIT_CHECK=nan: a NaN or Inf appeared where all inputs were finite."""


class Abandoned(BaseException):
    """Inside only: a traced function reads what can have no twin; it is run on the real things."""


class GraphError(TracejitError, AssertionError):
    """A graph breaks one of its invariants: a defect of a pass, never of the user's code."""
