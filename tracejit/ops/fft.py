"""Fourier transforms of numpy.fft: linear, so their rules are transforms, too.

With cotangents du/dx - i du/dy, that of a linear map's input is the transposed (not the conjugated)
map of its result's. The matrices of `fft` and `ifft` are symmetric: they are their own rules. Those
of real input or real result go back through each other, with the opposite scaling; the terms that
stand for two of the full transform count twice in one direction and half in the other.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dag.op import Op, composite, op
from .arrays import with_dtype
from .complexes import conj
from .index import unindex

_OPPOSITE = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


def _scale_pairs(x: Any, *, length: int, axis: int, factor: float) -> Any:
    x = np.array(x)
    np.moveaxis(x, axis, 0)[1 : (length + 1) // 2] *= factor
    return x


# Of the terms of a real transform of that length, those that stand for two, times a factor.
scale_pairs: Op = op(
    "scale_pairs", _scale_pairs, vjp=[lambda g, out, x, **attrs: scale_pairs(g, **attrs)]
)


def _resized(g: Any, x: Any) -> Any:
    """Undo that a transform cuts its input off, or adds zeros to it."""
    have, shape = np.shape(g), np.shape(x)
    kept = tuple(slice(min(n, m)) for n, m in zip(have, shape, strict=True))
    if any(n > m for n, m in zip(have, shape, strict=True)):
        g = g[kept]
    return g if np.shape(g) == shape else unindex(g, key=kept, shape=shape)


# -- the rules: for one axis (n, axis) or several (s, axes), as the op has it ----------------------


def _where(attrs: dict[str, Any]) -> dict[str, Any]:
    return {key: attrs[key] for key in ("axis", "axes") if key in attrs}


def _last_axis(attrs: dict[str, Any]) -> int:
    axis: int = attrs["axes"][-1] if "axes" in attrs else attrs.get("axis", -1)
    return axis


def _back(function: Any, attrs: dict[str, Any], lengths: Any = None) -> Callable[[Any], Any]:
    """The transform of the other direction: the opposite scaling, and these lengths."""
    options = _where(attrs) | {"norm": _OPPOSITE[attrs.get("norm")]}
    if lengths is not None:
        options["s" if "axes" in attrs else "n"] = lengths
    return lambda x: function(x, **options)


def _symmetric(function: Any) -> Any:
    def rule(g: Any, out: Any, x: Any, **attrs: Any) -> Any:
        norm = {"norm": attrs["norm"]} if "norm" in attrs else {}
        return _resized(function(g, **_where(attrs), **norm), x)

    return rule


def _of_real(inverse: Any) -> Any:
    def rule(g: Any, out: Any, x: Any, **attrs: Any) -> Any:
        shape, axis = np.shape(x), _last_axis(attrs)
        if "axes" in attrs:
            lengths = attrs.get("s", tuple(shape[i] for i in attrs["axes"]))
            length = lengths[-1]
        else:
            lengths = length = attrs.get("n", shape[axis])
        halves = scale_pairs(np.conjugate(g), length=length, axis=axis, factor=0.5)
        return _resized(_back(inverse, attrs, lengths)(halves), x)

    return rule


def _to_real(forward: Any) -> Any:
    def rule(g: Any, out: Any, x: Any, **attrs: Any) -> Any:
        axis = _last_axis(attrs)
        terms = np.conjugate(_back(forward, attrs)(g))
        return _resized(scale_pairs(terms, length=np.shape(out)[axis], axis=axis, factor=2.0), x)

    return rule


# -- along one axis --------------------------------------------------------------------------------


def _bind(a: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
    attrs: dict[str, Any] = {} if n is None else {"n": operator.index(n)}
    axis = operator.index(axis)
    if axis not in (-1, np.ndim(a) - 1):
        attrs["axis"] = axis
    return (a,), attrs if norm is None else {**attrs, "norm": norm}


def _transform(function: Any, rule: Any) -> None:
    op(f"fft.{function.__name__}", function, stands_for=(function,), bind=_bind, vjp=[rule])


_transform(np.fft.fft, _symmetric(np.fft.fft))
_transform(np.fft.ifft, _symmetric(np.fft.ifft))
_transform(np.fft.rfft, _of_real(np.fft.irfft))
_transform(np.fft.irfft, _to_real(np.fft.rfft))


@composite(np.fft.hfft)
def hfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
    """The transform of a signal that is Hermitian in time: its spectrum is real."""
    a = with_dtype(a)
    n = (np.shape(a)[axis] - 1) * 2 if n is None else n
    return np.fft.irfft(conj(a), n, axis, norm=_opposite(norm))


@composite(np.fft.ihfft)
def ihfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
    """The inverse of hfft."""
    return np.conjugate(np.fft.rfft(a, n, axis, norm=_opposite(norm)))


def _opposite(norm: Any) -> Any:
    return _OPPOSITE.get(norm, norm)  # NumPy says what is wrong with others


# -- along several axes ----------------------------------------------------------------------------

_Step = tuple[int, Any]  # which of the axes, and the transform along it


def _all_alike(one: Any) -> Callable[[int], list[_Step]]:
    return lambda count: [(i, one) for i in reversed(range(count))]


def _several(function: Any, over_two: Any, rule: Any, steps: Callable[[int], list[_Step]]) -> None:
    """Declare a transform along several axes, and its form for the last two.

    steps: the transforms along one axis that it consists of; they are recorded where it goes along
    an axis more than once.
    """
    name = function.__name__
    transform = op(f"fft.{name}", function, path=f"np.fft.{name}", vjp=[rule])
    halves = over_two is np.fft.irfft2

    @composite(function)
    def along(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
        a, shape = with_dtype(a), np.shape(a)
        if axes is None:
            axes = range(-len(shape if s is None else s), 0)
        axes = tuple(operator.index(i) for i in axes)
        options: dict[str, Any] = {} if norm is None else {"norm": norm}
        lengths = _lengths(shape, s, axes, halves)
        if len({i % len(shape) for i in axes}) == len(axes):
            given = {} if s is None else {"s": lengths}
            return transform(a, **given, axes=axes, **options)
        for i, one in steps(len(axes)):
            a = one(a, lengths[i], axes[i], **options)
        return a

    @composite(over_two)
    def along_two(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
        return along(a, s, axes, norm)


def _lengths(shape: Sequence[int], s: Any, axes: Sequence[int], halves: bool) -> tuple[int, ...]:
    """How long the transforms are: as given; of what is not (None, or -1), as the input is.

    halves: the input has half the terms of the last one.
    """
    defaults = [shape[i] for i in axes]
    if halves and defaults:
        defaults[-1] = 2 * (defaults[-1] - 1)
    if s is None:
        return tuple(defaults)
    if len(s) != len(axes):
        raise ValueError("Shape and axes have different lengths.")
    given = zip((None if n is None else operator.index(n) for n in s), axes, defaults, strict=True)
    return tuple(d if n is None else shape[i] if n == -1 else n for n, i, d in given)


_several(np.fft.fftn, np.fft.fft2, _symmetric(np.fft.fftn), _all_alike(np.fft.fft))
_several(np.fft.ifftn, np.fft.ifft2, _symmetric(np.fft.ifftn), _all_alike(np.fft.ifft))
_several(
    np.fft.rfftn, np.fft.rfft2, _of_real(np.fft.irfftn),
    lambda count: [(count - 1, np.fft.rfft), *_all_alike(np.fft.fft)(count - 1)],
)  # fmt: skip
_several(
    np.fft.irfftn, np.fft.irfft2, _to_real(np.fft.rfftn),
    lambda count: [*((i, np.fft.ifft) for i in range(count - 1)), (count - 1, np.fft.irfft)],
)  # fmt: skip

# -- order of the terms ----------------------------------------------------------------------------


def _bind_shift(x: Any, axes: Any = None) -> Any:
    if isinstance(axes, (tuple, list)):
        axes = tuple(operator.index(i) for i in axes)
    return (x,), {} if axes is None else {"axes": axes}


for _shift, _undo in ((np.fft.fftshift, np.fft.ifftshift), (np.fft.ifftshift, np.fft.fftshift)):
    op(
        f"fft.{_shift.__name__}", _shift, stands_for=(_shift,), bind=_bind_shift,
        vjp=[lambda g, out, x, _undo=_undo, **attrs: _undo(g, **attrs)],
    )  # fmt: skip
