"""What is printed by a faster way is what astor prints, and means what the tree means."""

import ast
from pathlib import Path

import astor
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.codegen.test_emit import GOLDEN
from tracejit.codegen.printing import to_source
from tracejit.codegen.syntax import Note, commented, name

LOAD = ast.Load()
OPERATORS = (
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult, ast.BitAnd,
    ast.BitOr, ast.BitXor, ast.LShift, ast.RShift,
)  # fmt: skip
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq, ast.Is, ast.IsNot)
UNARY = (ast.USub, ast.UAdd, ast.Invert, ast.Not)


def by_astor(body):
    """Print statements with astor alone."""
    generator = astor.SourceGenerator("    ")
    generator.visit(ast.Module(body, []))
    return "".join(str(part) for part in generator.result).lstrip("\n") + "\n"


constants = st.one_of(
    st.integers(0, 10**20), st.floats(0.0, allow_nan=False), st.booleans(),
    st.sampled_from([None, ..., 1j, b"bytes"]), st.text("abc", max_size=3),
).map(ast.Constant)  # fmt: skip
names = st.sampled_from(["x", "np.add", "np.add.reduce", "s0"]).map(name)


def slices(inner):
    ends = st.one_of(st.none(), inner)
    return st.builds(ast.Slice, ends, ends, ends)


def larger(inner):
    few = st.lists(inner, max_size=3)
    keywords = st.builds(ast.keyword, st.sampled_from(["out", "axis", None]), inner)
    keys = st.one_of(inner, slices(inner))
    several = st.lists(keys, min_size=1, max_size=3).map(lambda k: ast.Tuple(k, LOAD))
    return st.one_of(
        st.builds(ast.Attribute, inner, st.just("T"), st.just(LOAD)),
        st.builds(ast.Call, inner, few, st.lists(keywords, max_size=2)),
        st.builds(ast.Subscript, inner, st.one_of(keys, several), st.just(LOAD)),
        st.builds(ast.Tuple, few, st.just(LOAD)),
        st.builds(ast.List, few, st.just(LOAD)),
        st.builds(ast.BinOp, inner, st.sampled_from(OPERATORS).map(lambda o: o()), inner),
        st.builds(ast.UnaryOp, st.sampled_from(UNARY).map(lambda o: o()), inner),
        st.builds(
            lambda left, op, right: ast.Compare(left, [op()], [right]),
            inner, st.sampled_from(COMPARISONS), inner,
        ),
        st.builds(lambda test, a, b: ast.IfExp(test, a, b), inner, inner, inner),
    )  # fmt: skip


expressions = st.recursive(st.one_of(constants, names), larger, max_leaves=12)


def statements(value):
    target = ast.Name("t", ast.Store())
    several = ast.Tuple([target, ast.Name("u", ast.Store())], ast.Store())
    return [
        ast.Assign([target], value),
        ast.Assign([several], value),
        ast.Assign([ast.Subscript(name("x"), value, ast.Store())], name("x")),
        ast.AugAssign(target, ast.Add(), value),
        ast.Expr(value),
        ast.Return(value),
    ]


@given(expressions)
@settings(max_examples=300, deadline=None)
def test_any_expression_is_printed_as_astor_prints_it(value):
    for statement in statements(value):
        text = to_source([statement])
        assert text == by_astor([statement])


@pytest.mark.parametrize("path", sorted(GOLDEN.iterdir()), ids=lambda p: p.name)
def test_golden_files_are_printed_as_astor_prints_them(path):
    body = ast.parse(Path(path).read_text()).body
    text = to_source(body)
    assert text == by_astor(body)
    assert ast.dump(ast.parse(text)) == ast.dump(ast.Module(body, []))


def test_comments_end_their_line():
    value = ast.Call(name("np.sin"), [name("x")], [])
    lines = [
        Note("forward"),
        commented(ast.Assign([ast.Name("y", ast.Store())], value), "f8[3]  file.py:1"),
        commented(ast.Expr(ast.Constant("text")), "by\nastor"),
    ]
    assert to_source(lines) == (
        "# forward\ny = np.sin(x)  # f8[3]  file.py:1\n"
        '"""text"""  # by?astor\n'
    )


BRANCHES = """\
def choose(x):
    if x > 2:
        y = 1
    elif x > 1:
        y = 2
    else:
        y = 3
    return y
"""


def test_no_branch_is_lost():
    body = ast.parse(BRANCHES).body
    assert ast.dump(ast.parse(to_source(body))) == ast.dump(ast.Module(body, []))
