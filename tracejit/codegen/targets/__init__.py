"""The targets: which nodes take a slot, and how each node is written as statements."""
