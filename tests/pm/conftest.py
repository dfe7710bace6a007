"""Tiny models, made once for the tests of a process; none where torch is not installed."""

from collections.abc import Callable
from pathlib import Path

import pytest

ModelFolder = Callable[..., str]


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """Return the folder of a tiny model of an architecture; a scorer unless `use` says judge."""
    made: dict[tuple[str, str], str] = {}

    def folder(architecture: str, use: str = "score") -> str:
        from tests.pm import tiny_models  # noqa: PLC0415 - an extra

        if (architecture, use) not in made:
            path: Path = tmp_path_factory.mktemp(f"{architecture}-{use}")
            made[architecture, use] = tiny_models.save(path, architecture, use=use)
        return made[architecture, use]

    return folder
