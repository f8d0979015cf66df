"""The cases, one a file: only their mathematics, and their gradient by hand.

A new file here is a new case. It defines `CASE`, a `benchmarks.case.Case`.
"""
