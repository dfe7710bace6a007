"""No command waits for what it does not use: numpy and torch are imported by what computes, and by nothing else."""

import subprocess
import sys

import pytest

HEAVY = ("numpy", "scipy", "torch", "transformers", "jax", "pyarrow", "matplotlib")
LOADED = f"""
import sys
from app.cli import main
sys.argv = ["candor", *sys.argv[1:]]
try:
    main()
finally:
    sys.stderr.write(" ".join(name for name in {HEAVY} if name in sys.modules))
"""


@pytest.mark.parametrize("asked", [["--help"], ["pm", "score", "--help"]])
def test_help_imports_neither_numpy_nor_torch(asked: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", LOADED, *asked], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Usage: candor" in done.stdout
    assert not done.stderr, f"imported for a help page: {done.stderr}"
