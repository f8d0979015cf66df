"""Recording calls of a function as graphs and trace trees, and running what is emitted for them."""

from typing import NamedTuple

from tracejit.cache import Signature
from tracejit.codegen.compile import load
from tracejit.codegen.emit import emit
from tracejit.codegen.targets import find
from tracejit.dag.evaluate import evaluate
from tracejit.dag.graph import Graph
from tracejit.dag.node import ACTIVE, Node
from tracejit.dag.op import COMMIT, INPUT
from tracejit.dag.passes import optimize
from tracejit.dag.tree import graft
from tracejit.dag.verify import verify
from tracejit.joint import run
from tracejit.outcome import Form, Wanted, assemble, form_of, seal
from tracejit.trace import Recorder, Tracer, active_recorder
from tracejit.trace.draws import draw_op
from tracejit.trace.places import Places


def record_forward(function, *values):
    """Record a function's graph, forward only; its inputs are x, y, z."""
    with Recorder(for_compiling=True) as recorder:
        inputs = [Node(INPUT, (), {}, value, None, ACTIVE) for value in values]
        result = function(*(Tracer(node, recorder) for node in inputs))
    results = result if isinstance(result, tuple) else (result,)
    outputs = tuple(r.current() if type(r) is Tracer else r for r in results)
    for number, node in enumerate((*inputs, *recorder.nodes)):
        node.seal("xyz"[number] if number < len(inputs) else None, backward=False)
    return verify(Graph("f", tuple(inputs), tuple(recorder.nodes), outputs))


def grow(*graphs):
    """Graft graphs onto the first one."""
    tree = graphs[0]
    for path in graphs[1:]:
        tree = graft(tree, path)
        assert tree is not None
    return verify(tree)


class Recorded(NamedTuple):
    """What emitting needs: all calls have this signature and these forms of results."""

    signature: Signature
    form: Form
    graph: Graph

    def evaluate(self, *args, captured=()):
        """Run the graph node by node and give the results as a call does."""
        signature = Signature(args, (), self.signature.names)
        leaves = [v for v, t in zip(signature.leaves, signature.traced, strict=True) if t]
        results = evaluate(self.graph, [*leaves, *captured])
        count = self.graph.gradients
        return assemble(self.form, iter(results[:count]), iter(results[count:]))

    def optimized(self):
        return self._replace(graph=optimize(self.graph, check=verify))

    def emit(self):
        return emit(self.graph, self.signature, self.form, False, find("numpy"))

    def load(self):
        return load(self.emit())


def record(function, *args, wanted=None, places=None):
    """Record one call, forward and backward; `places`: of calls recorded before."""
    places = Places() if places is None else places
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    signature = Signature(args, (), names)
    with Recorder(for_compiling=True) as recorder:
        result = run(recorder, function, signature, wanted or Wanted())
    places.include(recorder.world.places)
    graph = verify(seal(result, recorder, function.__name__, places.inputs))
    return Recorded(signature, form_of(result), graph)


def record_calls(function, *calls, wanted=None):
    """Record calls, each a tuple of arguments, as one tree."""
    places = Places()
    recorded = [record(function, *args, wanted=wanted, places=places) for args in calls]
    assert all(r.form == recorded[0].form for r in recorded)
    return recorded[0]._replace(graph=grow(*(r.graph for r in recorded)))


def draw(generator, method, *args, holes=(), **kwargs):
    """Record a draw: a method of a generator, or of np.random if that is None."""
    attrs = {"method": method, "args": args, "kwargs": kwargs}
    return active_recorder().record(draw_op(method), (generator, *holes), attrs)


def commit(target, value):
    """Record that a value is written to an input when all else is done."""
    active_recorder().record(COMMIT, (target, value), {})
