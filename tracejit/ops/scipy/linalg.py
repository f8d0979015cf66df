"""The functions of scipy.linalg."""
