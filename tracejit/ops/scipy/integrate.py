"""The functions of scipy.integrate."""
