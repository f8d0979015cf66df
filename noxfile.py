"""Run the tests on every supported Python that is present: `nox`, or `nox -s tests-3.12`."""

import nox

nox.options.error_on_missing_interpreters = False


@nox.session(python=["3.10", "3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """Run the tests in an environment of their own."""
    session.install("--editable", ".[test]")
    session.run("pytest", *session.posargs)
