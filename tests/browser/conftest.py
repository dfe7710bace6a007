"""A real Chromium and a real server. Playwright lives for a module: while it does, no other loop can run here."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser import chromium
from tests.browser.screens import PATIENCE_MS, close
from tests.browser.served import Served, served
from tests.conftest import NewDatabase


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", metavar="DIR", help="write a picture of every page to DIR, and run nothing else")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take pictures only when asked to, and then do nothing else."""
    wanted = config.getoption("screenshots", None) is not None
    kept = [item for item in items if ("screenshot_dir" in getattr(item, "fixturenames", ())) == wanted]
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        browser = chromium.launch(playwright)
        yield browser
        close(browser)


@pytest.fixture(scope="session")
def there(new_database: NewDatabase) -> Iterator[Served]:
    """The server, with its studies, people and accounts."""
    with served(new_database()) as running:
        yield running


@pytest.fixture(scope="session")
def screenshot_dir(request: pytest.FixtureRequest) -> Path:
    """The folder that --screenshots names."""
    folder = Path(request.config.getoption("--screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
