"""The graph: nodes, ops, the reverse sweep, and passes. Nothing here knows of tracers or targets."""
