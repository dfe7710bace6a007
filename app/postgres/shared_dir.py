"""The machine's folder for binaries that the user who runs root's postgres could not reach where they lie."""

import contextlib
from pathlib import Path

from app.postgres.errors import PostgresUnavailable

_SHARED_DIR = Path("/var/lib/candor")


def shared_dir() -> Path:
    """Make the folder if need be, and see that nobody but root can change what is in it."""
    try:
        with contextlib.suppress(FileExistsError):
            _SHARED_DIR.mkdir()
            _SHARED_DIR.chmod(0o755)
        about = _SHARED_DIR.lstat()
    except OSError as error:
        raise PostgresUnavailable(
            f"{_SHARED_DIR} cannot be made ({error.strerror}): install PostgreSQL where user postgres can reach it"
        ) from error
    if not _SHARED_DIR.is_dir() or about.st_uid != 0 or about.st_mode & 0o022:
        raise PostgresUnavailable(f"{_SHARED_DIR} is not a folder that only root can change: remove it")
    return _SHARED_DIR
