"""The graph: nodes, ops, the reverse sweep, passes. Nothing here knows of tracers or targets."""
