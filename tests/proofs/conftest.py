"""What the proofs did and saw, in the summary at the end."""

from collections.abc import Callable

import pytest

_FIGURES = pytest.StashKey[list[str]]()
Say = Callable[[str], None]


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Say:
    """Put a line into the summary."""
    return request.config.stash.setdefault(_FIGURES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    figures = config.stash.get(_FIGURES, [])
    if figures:
        terminalreporter.section("what the proofs saw")
        for line in figures:
            terminalreporter.write_line(line)
