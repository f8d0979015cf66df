"""The targets: how one node is written. A target says which nodes take a slot and gives statements."""
