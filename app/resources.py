"""Where the folders that are not Python live: beside `app` in a checkout, inside it in a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """Return the folder `templates`, `static` or `migrations`."""
    shipped = _PACKAGE / name
    return shipped if shipped.is_dir() else _PACKAGE.parent / name


def content(name: str) -> Path:
    """Return a file of the bundled content."""
    return _PACKAGE / "content" / name
