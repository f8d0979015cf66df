"""From a graph to a compiled function: order, buffers, names, Python source, a module in memory."""
