"""Float functions that NumPy lacks."""

from __future__ import annotations

from math import sqrt

import numpy as np

from tests.benchmarks.zoo_requant import FloatArray


def gelu(x: FloatArray) -> FloatArray:
    """Return x/2 (1 + erf(x / sqrt 2))."""
    from scipy.special import erf  # scikit-learn brings it; the runtimes do without

    result: FloatArray = x / 2 * (1 + erf(x / sqrt(2)))
    return result


def convolve(x: FloatArray, w: FloatArray, stride: int, padding: int) -> FloatArray:
    """Return a convolution of x (N, H, W, C) with w (O, KH, KW, C), zero outside x."""
    outputs, kernel_h, kernel_w, _ = w.shape
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    rows = (padded.shape[1] - kernel_h) // stride + 1
    cols = (padded.shape[2] - kernel_w) // stride + 1
    result = np.zeros((len(x), rows, cols, outputs), dtype=x.dtype)
    for a in range(kernel_h):
        for b in range(kernel_w):
            seen = padded[:, a : a + rows * stride : stride, b : b + cols * stride : stride]
            result += seen[:, :rows, :cols] @ w[:, a, b].T
    return result
