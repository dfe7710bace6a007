"""Designs written as TOML files: what a study is to be, to be kept and shared beside its data."""

import tomllib
from pathlib import Path
from typing import Any

from app.study.designs import DesignFaulty


def read_design(path: Path) -> dict[str, Any]:
    """Return the values of a design file, not checked yet: those of `StudyDesign`, and `set` and `set_version`.

    Raises
    ------
    DesignFaulty
        When the file cannot be read, or is not TOML; says where.
    """
    try:
        values = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
        repr(values)  # What cannot be written out, no message could tell of.
    except OSError as error:
        raise DesignFaulty([f"{path} cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise DesignFaulty([f"{path.name} is not UTF-8 (byte {error.start}); save it as UTF-8"]) from None
    except tomllib.TOMLDecodeError as error:
        raise DesignFaulty([f"{path.name} is not TOML: {error}"]) from None
    except (RecursionError, ValueError):
        said = "is not TOML that can be read (nested too deeply, or a number too long)"
        raise DesignFaulty([f"{path.name} {said}"]) from None
    return values
