"""Random programs of all of NumPy as source text: the families, in loops, with branches on data.

`WideProgram(seed, size)` is made as those of array_programs.py are, from other templates: complex
arrays, functions with several results, sorting, padding, joining, transforms, linear algebra,
writes through views, special functions. FAMILIES has statements, STEPS what runs in loops.
"""

import random

import numpy as np
import scipy.linalg
from scipy import special, stats

from tests.codegen.array_programs import CONSTANTS, KEYS, LAYOUTS, Program
from tracejit.ops.index import like_it

FAMILIES = {
    "plain": [
        "{v} = np.tanh({ra})", "{v} = {a} * {b}", "{v} = {a} + {b}", "{v} = {a} - {b} * {c}",
        "{v} = {a} / (2.0 + np.abs({b}))", "{v} = np.sin({ra}) * {b}",
        "{v} = np.sum({a}, axis={x})", "{v} = np.mean({a}, axis={x}, keepdims=True) + {b}",
        "{v} = {a}[{k}]", "{v} = {a}.T", "{v} = np.where({ra} > 0.0, {a}, {b})",
        "{v} = {a}.reshape(-1)", "{v} = np.maximum({ra}, np.real({b}))",
        "{v} = {a}.astype('f4') if {a}.dtype.kind == 'f' else {a}",
    ],
    "complex": [
        "{v} = {a} + 1j * {b}", "{v} = {a} * (0.5 + 0.25j)", "{v} = np.conj({a}) * {b}",
        "{v} = np.abs({a} + 1j)", "{v} = np.exp(1j * {ra})", "{v} = np.real({a} * {b})",
        "{v} = np.imag({a} * (1.0 + {b} * 1j))", "{v} = np.angle({a} + 3.0)",
        "{v} = {a}.real * {a}.imag", "{v} = np.sqrt({a} + 2.0j)", "{v} = ({a} + 0j) ** 2",
        "{v} = np.tanh({a} * 0.3j + 0.1)", "{v} = abs({a} * 1j + 0.5)",
        "{v} = {a} * 2j if np.sum(np.abs({a})) > 2.0 else {a} * 0.5",
        "{v} = np.log({a} + 4.0 + 1j)", "{v} = (1j + {a}) ** (-1)",
        "{v} = np.zeros({a}.shape, complex)\n{v}.real = {ra}\n{v}.imag[...] = 0.5 * {ra}",
        "{v} = np.real_if_close({a} * 1.0)", "{v} = {a} @ np.conj({a}).T",
        "{v} = np.vdot({a}, {a}) * 0.1", "{v} = {a}.conj().real", "{v} = np.exp({a} * 0.2 + 1j)",
        "{v} = np.isreal({a}) * {a}", "{v} = np.power({a} + 3.0, 0.5 + 0.1j)",
        "{v} = np.sinc({a} * 0.5)", "{v} = np.sign({a}) * {b}",
        "{v} = np.reciprocal({a} + 3.0j)", "{v} = np.maximum({a}, {b})",
        "{v} = np.prod({a} * 0.6)", "{v} = np.cumprod({a} * 0.7 + 0.5j)",
        "{v} = np.var({a}, axis={x})", "{v} = np.std({a})",
    ],
    "several": [
        "{v}, r{v} = np.modf({ra} * 1.7)\n{v} = {v} + 0.1 * r{v}",
        "r{v}, {v} = np.divmod({ra}, 0.7 + np.abs({b}))\n{v} = {v} * 0.5 + r{v} * 0.2",
        "{v}, r{v} = np.frexp({ra} + 0.1)\n{v} = {v} * {b}", "{v} = divmod({ra}, 0.7)[1]",
        "r{v}, u{v} = np.linalg.eigh({spd})\n{v} = (u{v} * np.tanh(r{v})) @ np.conj(u{v}.T)",
        "u{v}, r{v}, w{v} = np.linalg.svd({q})\n{v} = (u{v} * np.log1p(r{v})) @ w{v}",
        "u{v}, r{v}, w{v} = np.linalg.svd({q}[:, :2], full_matrices=False)\n"
        "{v} = u{v} @ w{v} + np.sum(r{v})",
        "u{v}, r{v} = np.linalg.qr({q} + 2.0 * np.eye(3))\n{v} = r{v} * 0.5 + u{v}",
        "s{v}, r{v} = np.linalg.slogdet({q} + 2.0 * np.eye(3))\n{v} = s{v} * r{v}",
        "{v} = np.linalg.eigvalsh({spd})",
        "{v} = np.linalg.svdvals({q}) if hasattr(np.linalg, 'svdvals') else {q}",
        "{v} = np.linalg.svd({q}, compute_uv=False)",
        "{v} = np.linalg.eigh({spd}).eigenvalues * 0.5",
        "{v} = np.linalg.slogdet({q} + 2.5 * np.eye(3)).logabsdet",
        "{v} = np.linalg.qr({q} + 2.0 * np.eye(3), mode='r')",
        "p{v}, r{v} = np.broadcast_arrays({a}, {b})\n{v} = p{v} * r{v}",
        "p{v}, r{v} = np.gradient({q})\n{v} = p{v} * r{v}",
        "p{v}, *r{v} = np.unstack({a})\n{v} = p{v} * 0.5",
        "p{v}, r{v} = np.meshgrid({a}, {b})\n{v} = p{v} * r{v}",
        "e{v}, u{v} = np.linalg.eig({spd})\n{v} = np.real(e{v} * 0.3).sum() * {a}",
        "{v} = np.linalg.lstsq({q} + 2 * np.eye(3), {q}[0])[0]",
        "{v} = sum(np.linalg.slogdet({q} @ {q}.T + np.eye(3)))",
    ],
    "sorted": [
        "{v} = np.sort({a}, axis={y})", "{v} = np.sort({a}, axis=None)",
        "{v} = np.partition({ra}, 1, axis={y})", "{v} = np.median({ra}, axis={y})",
        "{v} = np.median({ra}, axis={y}, keepdims=True) * {b}",
        "{v} = np.quantile({ra}, 0.3, axis={y})",
        "{v} = np.quantile({ra}, [0.25, 0.6], axis={y})", "{v} = np.percentile({ra}, 40.0)",
        "{v} = np.take_along_axis({a}, np.argsort({a}, axis={y}), axis={y})",
        "{v} = np.quantile({ra}, np.abs(np.tanh(p['s'])), axis={y})",
        "{v} = {a}[np.argsort({ra}.ravel())[0] % len({a})]",
        "{v} = np.unique(np.round({ra}, 1)) * 0.5", "{v} = np.unique({a})",
        "{v} = {a} * 1.0\n{v}.sort()", "{v} = {a} + 0.0\n{v}.sort(axis=0)",
        "{v} = {ra} * 1.0\n{v}.partition(1)",
        "{v} = np.nanmedian(np.where(mask, 0.5, np.nan)) * {a}",
        "{v} = np.searchsorted(np.sort({a}.ravel()), 0.3) * {a}", "{v} = np.ptp({ra}, axis={y})",
        "{v} = np.max({ra}, axis={y}) - np.min({ra})", "{v} = np.argmax({ra}) * {a}",
        "{v} = np.lexsort(({a}.ravel(),)) * {a}.ravel()", "{v} = np.sort_complex({a})",
        "{v} = np.average({a}, axis={y}, weights=np.abs({b}) + 0.5)", "{v} = np.average({a})",
        "{v} = np.nanmean(np.where({a} > 0.0, {a}, np.nan))", "{v} = np.nansum({a}, axis={y})",
        "{v} = np.cov({ra})", "{v} = np.corrcoef({q})",
        "{v} = np.interp({a}, np.linspace(-2.0, 2.0, 5), np.sin(np.arange(5.0)) * p['s'])",
    ],
    "shaped": [
        "{v} = np.pad({a}, 1)", "{v} = np.pad({a}, 1, mode='reflect')",
        "{v} = np.pad({a}, (1, 2), mode='edge')", "{v} = np.pad({a}, 1, mode='wrap')",
        "{v} = np.pad({a}, 2, mode='symmetric')",
        "{v} = np.pad({a}, 1, mode='linear_ramp', end_values=0.5)",
        "{v} = np.pad({a}, 1, mode='mean')", "{v} = np.pad({a}, 1, mode='maximum')",
        "{v} = np.pad({a}, 1, constant_values=0.25)", "{v} = np.roll({a}, 1)",
        "{v} = np.roll({a}, (1, -1), axis=(0, 1))",
        "{v} = np.roll({a}, int(n.flat[0]), axis={y})", "{v} = np.tile({a}, 2)",
        "{v} = np.tile({a}, (2, 1))", "{v} = np.repeat({a}, 2, axis={y})",
        "{v} = np.repeat({a}, 2)", "{v} = np.repeat({a}, np.arange(len({a})) + 1, axis=0)",
        "p{v}, r{v} = np.split({a}, 2, axis={y})\n{v} = p{v} * r{v}",
        "{v} = np.array_split({a}, 2)[0] * 0.5",
        "p{v} = np.array_split({a}, 3)\n{v} = np.concatenate(p{v}[::-1])",
        "{v} = np.hstack([{a}, {b}])", "{v} = np.vstack([{a}, {b}])",
        "{v} = np.dstack([{a}, {a} * 2.0])", "{v} = np.column_stack([{a}, {b}])",
        "{v} = np.block([[{q}, {q} * 0.5], [{q}.T, np.eye(3)]])", "{v} = np.append({a}, {b})",
        "{v} = np.insert({a}, 1, 0.5)", "{v} = np.insert({a}, [0, 1], {a}[:1], axis=0)",
        "{v} = np.delete({a}, 0, axis={y})", "{v} = np.delete({a}, [0, 1])",
        "{v} = np.resize({a}, (2, 3))", "{v} = np.rot90({q})", "{v} = np.flip({a}, axis={y})",
        "{v} = np.fliplr({q}) @ {q}", "{v} = np.moveaxis({a}, 0, -1)",
        "{v} = np.rollaxis({a}, 1)", "{v} = np.triu({q})", "{v} = np.tril({q}, -1) @ {q}",
        "{v} = np.diag({q})", "{v} = np.diag({q}[0])", "{v} = np.diagflat({a})",
        "{v} = np.diagonal({q}, 1)", "{v} = np.vander({a}, 3)",
        "{v} = np.concatenate([{a}, {b}], axis=None)", "{v} = np.atleast_2d({a})",
        "{v} = np.atleast_3d({a})", "{v} = np.linspace({a}, {b}, 4)",
        "{v} = np.geomspace(1.0 + np.abs({a}), 9.0, 3)", "{v} = np.full_like({a}, 0.5) * {b}",
        "{v} = np.array([{a}, {a} * 0.5])", "{v} = np.r_[{a}, 0.5, {b}]",
        "{v} = np.c_[{a}, {b}]", "{v} = np.vsplit({q}, 3)[1] * {q}",
        "{v} = np.matrix_transpose({q}) * 0.5", "{v} = np.ravel({a}, order='F')",
        "{v} = np.reshape({a}, -1, order='F')", "{v} = {a}.flatten('F')",
        "{v} = np.copy({a}, order='F')", "{v} = np.swapaxes({a}, 0, -1).reshape(-1)",
        "{v} = np.trim_zeros({a})",
    ],
    "products": [
        "{v} = np.einsum('ij,jk->ik', {q}, {q})", "{v} = np.einsum('ij,ij->i', {q}, {q})",
        "{v} = np.einsum('ii->i', {q})", "{v} = np.einsum('ii', {q})",
        "{v} = np.einsum('i,j->ij', {q}[0], {q}[1])",
        "{v} = np.einsum('...j,kj->...k', {q}, {q})",
        "{v} = np.einsum({q}, [0, 1], {q}, [1, 2], [2, 0])",
        "{v} = np.einsum('ij,jk,kl->il', {q}, {q}, {q}, optimize=True)",
        "{v} = np.einsum('ij->ji', {q}) * 0.5", "{v} = np.einsum('ij->j', {q})",
        "{v} = np.kron({q}[0], {q}[1])", "{v} = np.cross({q}, {q}[0])",
        "{v} = np.tensordot({q}, {q}, axes=1)", "{v} = np.inner({q}, {q})",
        "{v} = np.outer({a}, {b})", "{v} = np.linalg.multi_dot([{q}, {q}, {q}[0]])",
        "{v} = np.linalg.matrix_power({q} * 0.5, 3)",
        "{v} = np.linalg.matrix_power({q} + 2 * np.eye(3), -2)", "{v} = np.dot({q}, {q}[1])",
        "{v} = np.vecdot({q}, {q})", "{v} = np.convolve({q}[0], {q}[1])",
        "{v} = np.convolve({q}[0], {q}[1][:2], 'same')",
        "{v} = np.correlate({q}[0], {q}[1], 'full')", "{v} = np.matmul({q}, {q}[0])",
        "{v} = np.trace({q}) * {a}", "{v} = np.trapezoid({a}, dx=0.5)",
        "{v} = np.matvec({q}, {q}[0]) if hasattr(np, 'matvec') else {q}",
    ],
    "fft": [
        "{v} = np.fft.fft({a})", "{v} = np.fft.ifft({a}, axis={y})", "{v} = np.fft.rfft({ra})",
        "{v} = np.fft.irfft({a})", "{v} = np.fft.irfft({a}, 5)", "{v} = np.fft.fft2({q})",
        "{v} = np.fft.hfft({a})", "{v} = np.fft.ihfft({ra})",
        "{v} = np.fft.fft({a}, 5, norm='ortho')", "{v} = np.fft.fftshift({a})",
        "{v} = np.fft.rfftn({q})",
        "{v} = np.fft.irfft(np.fft.rfft({ra}) * 0.5, np.shape({a})[-1])",
        "{v} = np.abs(np.fft.fft({a})) ** 2", "{v} = np.fft.ifftshift({a}) * {a}",
        "{v} = np.fft.irfft2({q})", "{v} = np.fft.ifftn({q}, axes=(0,))",
    ],
    "scans": [
        "{v} = np.cumprod({a} * 0.8)", "{v} = np.cumprod({a}, axis={y})",
        "{v} = np.cumsum({a}, axis={y})", "{v} = np.diff({a})", "{v} = np.diff({a}, n=2)",
        "{v} = np.diff({a}, axis=0, prepend=0.5)", "{v} = np.ediff1d({a})",
        "{v} = np.gradient({a})", "{v} = np.nancumsum({a})", "{v} = np.add.accumulate({a})",
        "{v} = np.multiply.accumulate({a} * 0.5)", "{v} = np.maximum.accumulate({ra})",
        "{v} = np.minimum.accumulate({ra}, axis={y})", "{v} = np.logaddexp.reduce({ra})",
        "{v} = np.add.reduceat({a}, [0, 2])", "{v} = np.multiply.outer({a}, {b})",
        "{v} = np.hypot.reduce({ra})", "{v} = np.unwrap({ra} * 4.0)",
        "{v} = np.prod({a}, axis={y})", "{v} = np.maximum.reduce([{ra}, np.real({b})])",
        "{v} = np.logaddexp.accumulate({ra})", "{v} = np.subtract.reduce({a})",
        "{v} = np.divide.reduce({a} + 2.0)",
        "{v} = np.power.outer(np.abs({a}) + 0.5, [1.0, 2.0])",
    ],
    "linalg": [
        "{v} = np.linalg.solve({q} + 2.5 * np.eye(3), {q})",
        "{v} = np.linalg.solve({q} + 2.5 * np.eye(3), {q}[0])",
        "{v} = np.linalg.cholesky({spd})", "{v} = np.linalg.inv({q} + 2.5 * np.eye(3))",
        "{v} = np.linalg.det({q} + np.eye(3))", "{v} = np.linalg.pinv({q} + 2.5 * np.eye(3))",
        "{v} = np.linalg.norm({q}, axis=1)", "{v} = np.linalg.norm({q})",
        "{v} = np.linalg.norm({q}, 'nuc')", "{v} = np.linalg.norm({q}, 2)",
        "{v} = np.linalg.norm({q}, 1, axis=0)", "{v} = np.linalg.norm({q}, np.inf)",
        "{v} = np.linalg.norm({a}.ravel(), 3)", "{v} = np.linalg.cond({q} + 2 * np.eye(3))",
        "{v} = np.linalg.cholesky(np.stack([{spd}, np.eye(3) * 2]))",
        "{v} = np.linalg.inv(np.stack([{q} + 2.5 * np.eye(3), np.eye(3)]))",
        "{v} = np.linalg.tensorsolve({q} + 2 * np.eye(3), {q}[0])",
        "{v} = np.linalg.vector_norm({a}) * {b}", "{v} = np.linalg.pinv({q}[:2])",
        "{v} = np.linalg.cholesky({spd}, upper=True)",
        "{v} = np.linalg.solve(np.stack([{q} + 2 * np.eye(3)] * 2), {q})",
    ],
    "taken": [
        "{v} = np.take({a}, [0, -1, 0], axis={y})",
        "{v} = np.take({a}, n.ravel()[:2] % 3, mode='wrap')", "{v} = np.take({a}, 1)",
        "{v} = {a} * 1.0\nnp.put({v}, [0, 2], 0.5)",
        "{v} = {a} * 1.0\nnp.put({v}, [0, 1], {b}.ravel()[:2])",
        "{v} = {a} * 1.0\n"
        "np.put_along_axis({v}, np.argmax({v}, axis={y}, keepdims=True), 0.25, axis={y})",
        "{v} = np.compress([True, False, True], {a}, axis={y})",
        "{v} = np.extract({ra} > 0.0, {a})",
        "{v} = {a} * 1.0\nnp.place({v}, {v} > 0.2, [0.1, 0.2])",
        "{v} = {a} * 1.0\nnp.putmask({v}, {v} > 0.2, {v} * 0.5)",
        "{v} = np.choose(n % 2, [{a}, {b}])",
        "{v} = np.select([{ra} > 0.5, {ra} < -0.5], [{a}, {b}], 0.1)",
        "{v} = np.piecewise({ra}, [{ra} > 0.0], [lambda t: t * 2.0, lambda t: np.sin(t)])",
        "{v} = {a}[{ra} > 0.0]", "{v} = {a}[np.nonzero({ra} > 0.0)]",
        "{v} = {a} * 1.0\n{v}[np.real({v}) < 0.0] = 0.25",
        "{v} = {a} * 1.0\n{v}[np.real({v}) < 0.0] *= 0.5",
        "{v} = {a} * 1.0\nnp.add.at({v}, 0, 0.5 * {v}[1])",
        "{v} = {a} * 1.0\nnp.multiply.at({v}, [0, 0], 0.5)",
        "{v} = {a} * 1.0\nnp.add.at({v}, [0, 0, 1], {v}[-1])",
        "{v} = {a} * 1.0\nnp.copyto({v}, {b})",
        "{v} = {a} * 1.0\nnp.copyto({v}, 0.5, where=np.real({v}) > 0.0)",
        "{v} = {a}[np.ix_([0, 1], [1, 0])]", "{v} = {a}[..., [1, 0]]",
        "{v} = {a}[[0, 1], ..., None]", "{v} = np.take({a}, np.array([[0, 1], [1, 0]]))",
        "{v} = {a}[int(np.argmax({ra})) % len({a})] * 0.5",
        "{v} = {a} * 1.0\nnp.subtract.at({v}, (slice(None), [0, 1]), 0.5)",
        "{v} = {a} * 1.0\nnp.maximum.at({v}, [0, 1], 0.3)", "{v} = np.nan_to_num({a})",
        "{v} = np.heaviside({ra}, 0.5) * {b}", "{v} = np.copysign({ra}, {b})",
        "{v} = np.ldexp({ra}, 2)", "{v} = np.fmod({ra}, 0.7)",
        "{v} = np.float_power(np.abs({a}) + 0.5, {b})", "{v} = np.i0({ra})",
        "{v} = np.apply_along_axis(lambda t: t * 2.0, 0, {a})",
    ],
    "views": [
        "{v} = {q} * 1.0\nd{v} = np.einsum('ii->i', {v})\nd{v}[...] = {q}[0] * 0.5",
        "{v} = {q} * 1.0\nnp.fill_diagonal({v}, {q}[1])",
        "{v} = {q} * 1.0\nnp.fill_diagonal({v}, 0.5)",
        "{v} = ({a} + 0j) * 1.0\n{v}.real = 0.5 * {ra}",
        "{v} = ({a} + 0j) * 1.0\n{v}.imag += {ra}",
        "{v} = ({a} + 1j) * 1.0\n{v}.real[...] *= 2.0",
        "{v} = ({a} + 1j) * 1.0\nr{v} = {v}.imag\nr{v}[1:] = r{v}[:-1] * 0.5",
        "{v} = {a} * 1.0\n{v}.flat[1] = 0.5", "{v} = {a} * 1.0\n{v}.flat = {b}.ravel()[0]",
        "{v} = {a} * 1.0\n{v}.flat[::2] = {v}.flat[1::2] * 0.5",
        "{v} = {a} * 1.0\np{v}, r{v} = np.split({v}, 2)\np{v} += r{v}\nr{v}[...] = 0.5 * p{v}",
        "{v} = {a} * 1.0\nr{v} = {v}.reshape(-1)\nr{v}[1:] += r{v}[:-1]",
        "{v} = {a} * 1.0\nr{v} = {v}.T\nr{v}[0] = 0.5\n{v} = {v} * r{v}.T",
        "{v} = {a} * 1.0\nr{v} = np.swapaxes({v}, 0, -1)[1:]\nr{v} *= {c}",
        "{v} = {a} * 1.0\nr{v} = {v}[::2]\n{v} *= 0.5\n{v} = {v} + np.sum(r{v})",
        "{v} = {a} * 1.0\n"
        "r{v} = np.broadcast_to({v}, (2, *{v}.shape))\n"
        "{v} += 1.0\n"
        "{v} = r{v} * 0.5",
        "{v} = {a} * 1.0\nfor row{v} in {v}:\n    row{v} *= 0.5",
        "{v} = {a} * 1.0\nr{v} = np.ravel({v})\nr{v}[0] = 2.0",
        "{v} = {a} * 1.0\nr{v} = np.moveaxis({v}, 0, -1)\nr{v}[..., 0] += {c}",
        "{v} = {a} * 1.0\nr{v} = np.flip({v})\nr{v}[...] = r{v} * 0.5 + {v}",
        "{v} = {a} * 1.0\nr{v} = np.atleast_3d({v})\nr{v}[0] = 0.25",
        "{v} = {a} * 1.0\nr{v} = np.expand_dims({v}, 0)\nr{v}[0, 0] = {c}",
        "{v} = {a} * 1.0\n{v}[...] = {v}[::-1]", "{v} = {a} * 1.0\nnp.tanh({v}, out={v})",
        "{v} = np.empty({a}.shape)\nnp.add({a}, {b}, out={v})\n{v}[0] *= 2.0",
        "{v} = {a} * 1.0\nr{v} = {v}.squeeze()\nr{v} += {c}",
        "{v} = {q} * 1.0\nr{v} = np.rot90({v})\nr{v}[0] = {q}[2]",
        "{v} = np.zeros((2, 3))\n{v}[0], {v}[1] = {q}[0], {q}[1] * 0.5",
        "{v} = {a} * 1.0\nnp.cumsum({a}, axis=-1, out={v})",
        "{v} = {q} * 0.0\nnp.matmul({q}, {q}, out={v})",
        "{v} = {a} * 1.0\n{v}[[0, 1]] = {v}[[1, 0]]",
        "{v} = {a} * 1.0\n{v}[0], {v}[1] = {v}[1], {v}[0]",
        "{v} = np.multiply({a}, {b}, where=mask) if 0 else np.add({a}, 1.0, "
        "out=np.zeros({a}.shape), where={ra} > 0.0)",
    ],
    "scipy": [
        "{v} = special.erf({ra})", "{v} = special.expit({ra}) * {b}",
        "{v} = special.logsumexp({ra}, axis={y})", "{v} = special.softmax({ra}, axis={y})",
        "{v} = special.log_softmax({ra})", "{v} = special.gammaln(1.5 + np.abs({a}))",
        "{v} = special.gamma(1.5 + np.abs(np.tanh({a})))",
        "{v} = special.digamma(1.5 + np.abs({a}))",
        "{v} = special.xlogy(np.abs({a}), 1.0 + np.abs({b}))",
        "{v} = special.beta(1.0 + np.abs({a}), 1.0 + np.abs({b}))", "{v} = special.ndtr({ra})",
        "{v} = special.entr(np.abs({a}) + 0.1)", "{v} = special.i0({ra})",
        "{v} = special.j0({ra})", "{v} = stats.norm.logpdf({ra})",
        "{v} = stats.norm.cdf({ra}, 0.1, 1.5)",
        "{v} = stats.gamma.logpdf(np.abs({a}) + 0.2, 2.0)", "{v} = stats.t.logpdf({ra}, 3.5)",
        "{v} = scipy.linalg.expm({q} * 0.3)",
        "{v} = scipy.linalg.solve_triangular({q} + 2 * np.eye(3), {q}[0])",
        "{v} = scipy.linalg.sqrtm({spd})", "{v} = scipy.linalg.block_diag({q}, {q}[:1])",
        "{v} = special.log_ndtr({ra})", "{v} = special.polygamma(1, 1.5 + np.abs({a}))",
        "{v} = stats.multivariate_normal.logpdf({q}[0], {q}[1], {spd})",
        "{v} = special.rel_entr(np.abs({a}) + 0.1, np.abs({b}) + 0.2)",
        "{v} = special.gammainc(1.5, np.abs({a}) + 0.1)",
        "{v} = stats.beta.pdf(special.expit({ra}), 2.0, 3.0)",
        "{v} = stats.dirichlet.logpdf(special.softmax({q}[0]), np.array([1.5, 2.0, 0.7]))",
        "{v} = special.betainc(1.2, 0.7, special.expit({ra}))",
        "{v} = stats.poisson.logpmf(2, 0.5 + np.abs({a}))",
    ],
}  # fmt: skip
STEPS = [
    "{v} = np.linspace(0.0, 1.0, {v}.shape[-1]) + {v} * 0.6 - {b} * 0.1",
    "{v} = np.ones({v}.shape[-1]) * 0.3 - np.tanh({v}) * {b}",
    "{v} = np.fft.ifft(np.fft.fft({v}) * np.exp(-0.1 * np.arange({v}.shape[-1]))).real",
    "{v} = np.array([0.5, 0.2, 0.1][: {v}.shape[-1]]) * {v} + k * 0.01",
    "t = t + np.mean(np.real({v})) * np.arange(3.0)\n    {v} = np.sin({v}) + t[k % 3] * 0.1",
    "{v} = np.sort({v}) * 0.9 + {b} * 0.1", "{v} = np.roll({v}, 1) * 0.5 + np.sin({v})",
    "{v} = np.tanh(np.real({v} + {b} * 0.5))", "{v} = {v} * (0.6 + 0.3j) + {b}",
    "{v} = np.fft.ifft(np.fft.fft({v}) * 0.7).real",
    "{v} = np.fft.irfft(np.fft.rfft({v}) * 0.7, {v}.shape[-1])",
    "{v} = np.linalg.solve({v} * 0.1 + 2.0 * np.eye(3), {v}) + {b} * 0.2",
    "{v} = np.linalg.cholesky({v} @ np.conj({v}).T * 0.1 + np.eye(3))",
    "{v} = np.linalg.qr({v} + 2.0 * np.eye(3))[1] * 0.4",
    "e{v}, u{v} = np.linalg.eigh({v} @ np.conj({v}).T + np.eye(3))\n"
    "    {v} = (u{v} * np.tanh(e{v})) @ np.conj(u{v}.T) * 0.5 + {b} * 0.1",
    "u{v}, e{v}, w{v} = np.linalg.svd({v})\n    {v} = (u{v} * np.sin(e{v})) @ w{v} + {b} * 0.1",
    "f{v}, g{v} = np.modf({v} * 1.3)\n    {v} = f{v} + 0.1 * g{v} + {b} * 0.2",
    "f{v}, g{v} = np.divmod({v}, 0.9)\n    {v} = g{v} * 0.8 + 0.05 * f{v} + {b} * 0.3",
    "{v} = np.cumsum({v}, axis=-1) * 0.3 + {b}",
    "{v} = np.cumprod(np.tanh({v}) + 0.3, axis=-1) + {b} * 0.2",
    "{v} = np.einsum('ij,jk->ik', {v}, {v}) * 0.2 + {b} * 0.3",
    "{v} = np.einsum('ij,j->i', {v}, {v}[0])[:, None] * 0.2 + {b}",
    "{v} = {v} * 1.0\n    {v}[0] = {v}[-1] * 0.5",
    "{v} = {v} * 0.9\n    {v}.flat[1] = np.sum({v}) * 0.1",
    "{v} = {v} + 0.0\n    np.fill_diagonal({v}, {v}[0] * 0.5)",
    "{v} = {v} * 0.8\n    np.add.at({v}, [0, 0], 0.1 * {v}[1])",
    "{v} = {v} * 0.8\n    p{v}, r{v} = np.split({v}, [1])\n    p{v} += np.sum(r{v}) * 0.1",
    "{v} = np.pad({v}, 1)[{one}] * 0.8 + {b} * 0.3",
    "{v} = np.take({v}, [1, 0, *range(2, len({v}))], axis=0) * 0.7 + {b}",
    "{v} = {v} - np.median({v}, axis=-1, keepdims=True) * 0.3 + {b} * 0.1",
    "{v} = {v} * 0.6 + np.quantile({v}, 0.3) * {b}", "{v} = special.expit({v}) + {b} * 0.4",
    "{v} = special.erf({v} * 0.7 + k * 0.05) + {b}",
    "{v} = special.softmax({v}, axis=-1) * {b} + 0.1",
    "{v} = np.where(np.real({v}) > 0.1, {v} * 0.5, {b} - {v} * 0.3)",
    "if np.sum(np.real({v})) > 0.5:\n"
    "        {v} = {v} * 0.5\n"
    "    else:\n"
    "        {v} = {v} * 0.8 + {b}",
    "{v} = np.concatenate([{v}[1:], {v}[:1]]) * 0.8 + np.sin({b})",
    "{v} = np.maximum.accumulate({v}) * 0.5 + {b} * 0.4", "{v} = np.flip({v}, 0) * 0.7 + {b}",
    "{v} = np.linalg.inv({v} * 0.2 + 2.0 * np.eye(3)) + {b} * 0.2",
    "{v} = {v} / (1.0 + np.linalg.norm({v})) + {b}",
    "t = t + np.linalg.slogdet({v} * 0.1 + np.eye(3))[1]\n    {v} = {v} * 0.9 + {b} * 0.05",
    "{v} = np.abs({v} + 1j * {b}) * 0.7",
    "{v} = np.tile({v}, 2)[..., : {v}.shape[-1]] * 0.6 + {b}",
    "{v} = np.repeat({v}, 2, axis=-1)[..., ::2] * 0.6 + {b}",
    "{v} = np.gradient({v}, axis=0) * 0.5 + {b}",
    "{v} = np.take_along_axis({v}, np.argsort({v}, axis=-1), -1) * 0.9 + {b} * 0.1",
    "{v} = np.interp({v}, [-1.0, 0.0, 1.0], [0.3, -0.2, 0.5]) + {b}",
    "{v} = {v} * 0.9\n    {v}[{v} > 0.4] *= 0.5",
    "{v} = {v}[np.argsort({v}.ravel())[: len({v})] % len({v})] * 0.9 + {b} * 0.1",
    "{v} = np.array([{v}[k % len({v})] * 0.5] * len({v})) + {b}",
    "{v} = np.diff({v}, axis=-1, prepend=0.3) * 0.5 + {b}",
    "t = t * {v}.sum() * 0.1\n    {v} = {v} * 0.8 + np.real(t) * 0.1",
    "h.append({v})\n    {v} = np.sort({v}, axis=0) * 0.7 + {b} * 0.3",
    "{v} = np.logaddexp.reduce([{v}, {b}]) * 0.3",
    "{v} = np.clip({v}, -0.8, 0.9) * 1.1 + 0.1 * {b}",
    "{v} = scipy.linalg.expm({v} * 0.1) * 0.5 + {b} * 0.1",
    "{v} = np.real(np.exp(1j * {v})) + {b} * 0.4",
    "{v} = ({v} + 0j)\n    {v}.imag = np.real({b}) * 0.3\n    {v} = {v} * 0.7",
    "{v} = np.triu({v}) * 0.5 + np.tril({v}, -1) * 0.3 + {b}",
    "{v} = np.kron({v}, [1.0, 0.5])[..., : {v}.shape[-1]] * 0.5 + {b}",
    "{v} = np.stack([{v}, {b} + {v} * 0.0]).mean(axis=0) * 0.9",
    "{v} = np.hypot({v}, {b}) * 0.6 - 0.1 * k",
]  # fmt: skip
PART, SQUARE = "np.real({a})", "({q} @ np.conj({q}.T) + 0.8 * np.eye(3))"  # {ra}, {spd}
LOOP = "{v} = {a} * 0.9\nt = 0.5\nh = []\nfor k in range({m}):\n    {body}\n{v} = {end}"
ENDS = ["{v}", "{v} * t", "{v} + t", "{v}", "({v} + h[2] if len(h) > 5 else {v})"]
SHAPES = [(3, 3), (3, 3), (4,), (3,), (6,), (2, 3), (4, 3), (2, 3, 3), (3, 1), (1,), ()]
DTYPES = [*[["f8"] * 4] * 2, ["f8", "c16", "f8", "c16"], ["f8", "f8", "c16", "f8"], ["f4"] * 4]
SCOPE = {"np": np, "special": special, "stats": stats, "scipy": scipy}
FAILED = (
    ValueError, IndexError, TypeError, AttributeError, ZeroDivisionError, np.linalg.LinAlgError,
)  # fmt: skip


def changed(value, change):
    """Change an array or a number; it keeps its type and its layout in memory."""
    if not isinstance(value, np.ndarray):
        return type(value)(change(value))
    new = like_it(value)
    new[...] = change(new)
    return new


class WideProgram(Program):
    """A function `f(p, mask, n)` of a dict of arrays, its text, and sample arguments."""

    def __init__(self, seed, size):
        self.rng = rng = random.Random(seed)
        kinds = rng.choice(DTYPES)
        shapes = [(3, 3), *rng.choices(SHAPES, k=2), (3, 3)]
        numbered = enumerate(zip(kinds, shapes, strict=True))
        arrays = {f"a{i}": self._array(kind, shape) for i, (kind, shape) in numbered}
        arrays["s"] = rng.choice([0.7, np.float64(0.4), 0.3 + 0.2j, np.float32(-0.6)])
        shape = rng.choice(shapes)
        mask, n = self._array("f8", shape) > 0, (np.abs(self._array("f8", shape)) * 3).astype(int)
        self.args = arrays, mask, n
        self.known = {**SCOPE, "mask": mask, "n": n, "p": arrays, **arrays}
        self.names, self.lines = list(arrays), []
        self._grow(f"<wide program {seed} {size}>", size, dict(SCOPE))
        self.single = "f4" in kinds or "f4" in self.text or type(arrays["s"]) is np.float32

    def _array(self, dtype, shape):
        rng = np.random.default_rng(self.rng.randrange(10**9))
        numbers = rng.normal(size=shape) * 0.7
        if dtype[0] == "c":
            numbers = numbers + 0.7j * rng.normal(size=shape)
        layout = self.rng.choice(["C", "C", "C", "C", *sorted(LAYOUTS.keys() - {"broadcast"})])
        return LAYOUTS[layout](numbers.astype(dtype)) if shape else np.array(numbers, dtype)

    def _statement(self):
        rng, v = self.rng, f"v{len(self.lines)}"
        q = rng.choice([n for n in self.names if np.shape(self.known[n]) == (3, 3)])
        loop = rng.random() < 0.3
        a = q if loop and rng.random() < 0.6 else self._pick()
        given = {
            "v": v, "a": a, "b": self._pick(a), "q": q, "c": rng.choice(CONSTANTS),
            "k": ", ".join(rng.choices(KEYS, k=rng.choice([1, 1, 2]))),
            "x": rng.choice(["None", "0", "-1", "1", "(0, 1)"]),
            "y": rng.choice(["0", "0", "1", "-1"]),
            "m": rng.choice([6, 9, 12]), "ra": PART.format(a=a), "spd": SQUARE.format(q=q),
            "one": ", ".join(["1:-1"] * max(1, np.ndim(self.known[a]))),
        }  # fmt: skip
        if not loop:
            return v, rng.choice(FAMILIES[rng.choice(list(FAMILIES))]).format(**given)
        steps = rng.sample(STEPS, rng.choice([1, 1, 2, 3]))
        body = "\n    ".join(step.format(**given) for step in steps)
        return v, LOOP.format(body=body, end=rng.choice(ENDS).format(**given), **given)

    def _try(self, statement):
        name, text = statement
        scope = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in self.known.items()}
        try:
            with np.errstate(all="ignore"):
                exec(text, scope)
        except FAILED:
            return
        value = scope[name]
        if not isinstance(value, (np.ndarray, np.inexact)) or value.dtype.kind not in "fc":
            return
        if not 0 < value.size < 200 or not np.isfinite(value).all() or np.abs(value).max() > 50:
            return
        self.known[name] = value
        self.names.append(name)
        self.lines.append(text)

    def _total(self):
        rng = self.rng
        read = [self.names[-1], *rng.sample(self.names, min(len(self.names), 5))]
        parts = [rng.choice(["{n}", "{n}", "{n} * np.conj({n} + 1j)"]).format(n=n) for n in read]
        return " + ".join(f"0.{i} * np.sum(np.real({part}))" for i, part in enumerate(parts, 1))

    def changed_args(self, number):
        """Arguments with other values, from 2 on also other branches, in the same layouts."""
        rng, (arrays, mask, n) = np.random.default_rng(number), self.args
        if number == 0:
            return self.args
        factors = [1.0, 0.9, -0.8] if number > 1 else [0.9]
        moved = {name: changed(a, lambda v: v * rng.choice(factors, size=np.shape(v)))
                   for name, a in arrays.items()}  # fmt: skip
        return (moved, mask, n) if number == 1 else (moved, ~mask, n + 1)
