"""What people use of NumPy and SciPy has a declaration: a name that is missing here is an error."""

import importlib

import numpy as np
import pytest

from tracejit.dag.op import BY_FUNCTION, COMPOSITES
from tracejit.ops.scipy import load
from tracejit.trace.creators import CREATORS
from tracejit.trace.dispatch import METADATA

NUMPY = {
    "elementwise": """add subtract multiply divide true_divide floor_divide power float_power mod
        remainder fmod divmod negative positive reciprocal maximum minimum fmax fmin logaddexp
        logaddexp2 arctan2 hypot abs absolute fabs sign copysign exp exp2 expm1 log log2 log10 log1p
        sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh sinc sqrt cbrt
        square rad2deg degrees deg2rad radians clip where select piecewise choose nan_to_num
        heaviside i0 real imag conj conjugate angle real_if_close ldexp frexp modf nextafter""",
    "reductions and scans": """sum mean prod var std max min amax amin ptp median percentile
        quantile average cov corrcoef nansum nanmean nanprod nanvar nanstd nanmax nanmin nanmedian
        nanpercentile nanquantile nanargmax nanargmin cumsum cumprod nancumsum nancumprod diff
        ediff1d gradient trace trapezoid count_nonzero interp unwrap convolve correlate
        histogram""",
    "products": """dot matmul vecdot vdot inner outer tensordot einsum kron cross linalg.multi_dot
        linalg.matrix_power""",
    "shape and joining": """reshape ravel transpose matrix_transpose swapaxes moveaxis rollaxis
        expand_dims squeeze broadcast_to broadcast_arrays repeat tile roll flip flipud fliplr rot90
        split array_split vsplit hsplit dsplit unstack diag diagonal diagflat fill_diagonal triu
        tril vander pad atleast_1d atleast_2d atleast_3d full_like linspace geomspace logspace
        meshgrid concatenate vstack hstack dstack column_stack stack block append insert delete
        resize copy asarray""",
    "indexing": """take take_along_axis put put_along_axis place putmask compress extract""",
    "sorting": "sort partition argsort unique searchsorted",
    "linalg": """linalg.det linalg.slogdet linalg.inv linalg.pinv linalg.solve linalg.lstsq
        linalg.norm linalg.vector_norm linalg.matrix_norm linalg.eigh linalg.eigvalsh linalg.eig
        linalg.eigvals linalg.cholesky linalg.qr linalg.svd linalg.svdvals linalg.matrix_rank
        linalg.cond linalg.tensorsolve linalg.tensorinv""",
    "fft": """fft.fft fft.ifft fft.rfft fft.irfft fft.hfft fft.ihfft fft.fft2 fft.ifft2 fft.rfft2
        fft.irfft2 fft.fftn fft.ifftn fft.rfftn fft.irfftn fft.fftshift fft.ifftshift""",
    "zero gradient": """less greater equal not_equal less_equal greater_equal round around rint fix
        floor ceil trunc logical_and logical_or logical_not logical_xor any all argmax argmin
        argpartition nonzero flatnonzero argwhere shape size ndim isnan isinf isfinite signbit
        isclose allclose array_equal bincount digitize lexsort""",
    "made anew": "array zeros ones empty full arange eye identity",
}
SCIPY = {
    "special": """beta betaln polygamma psi digamma gamma gammaln rgamma multigammaln gammainc
        gammaincc j0 j1 y0 y1 jn yn i0 i1 iv ive erf erfc erfinv erfcinv logit expit log_expit
        logsumexp softmax log_softmax xlogy xlog1py entr rel_entr ndtr log_ndtr ndtri betainc""",
    "linalg": "solve_triangular solve_banded solve_sylvester sqrtm expm cho_solve block_diag",
    "signal": "convolve",
    "integrate": "odeint",
    "stats": """norm.pdf norm.cdf norm.logpdf norm.logcdf t.pdf t.cdf t.logpdf t.logcdf beta.pdf
        beta.cdf beta.logpdf gamma.pdf gamma.cdf gamma.logpdf chi2.pdf chi2.cdf chi2.logpdf
        poisson.pmf poisson.cdf poisson.logpmf multivariate_normal.pdf multivariate_normal.logpdf
        multivariate_normal.entropy dirichlet.pdf dirichlet.logpdf""",
}


def find(module, name):
    for part in name.split("."):
        module = getattr(module, part, None)  # some are new in NumPy 2.1 to 2.4
    return module


def is_known(function):
    known = (BY_FUNCTION, COMPOSITES, CREATORS, METADATA)
    return function is None or any(function in where for where in known)


@pytest.mark.parametrize("family", NUMPY)
def test_numpy(family):
    assert [n for n in NUMPY[family].split() if not is_known(find(np, n))] == []


@pytest.mark.parametrize("family", SCIPY)
def test_scipy(family):
    pytest.importorskip("scipy")
    module = importlib.import_module(f"scipy.{family}")
    load(family)
    assert [n for n in SCIPY[family].split() if not is_known(find(module, n))] == []
