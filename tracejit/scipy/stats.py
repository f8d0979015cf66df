"""scipy.stats, whose functions record where an argument is traced."""

from ..trace.libraries import namespace

__getattr__, __dir__ = namespace("scipy.stats")
