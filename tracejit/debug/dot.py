
def dot_source(graph): return "digraph {}"
