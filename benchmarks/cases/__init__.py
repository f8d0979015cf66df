"""The cases, one a file: only their mathematics, and their gradient by hand.

A file here defines `CASES`, a tuple of `benchmarks.case.Case`: one problem in one or several sizes.
"""
