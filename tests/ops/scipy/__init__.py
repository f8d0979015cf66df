"""Tests of the functions of SciPy."""
