"""What the peers need in order to compute a case: a module a library, imported in its process.

Each turns the loss of a case, written for NumPy, into a function from NumPy arrays to a value and
its gradients, in the way that the library's own documents recommend.
"""
