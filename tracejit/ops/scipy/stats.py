"""The functions of scipy.stats."""
