"""The functions of scipy.signal."""
