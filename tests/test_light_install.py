"""The application and its commands start without the extras: a study needs no machine learning installed."""

import subprocess
import sys

import pytest

EXTRAS = ["torch", "transformers", "jax", "numpyro", "ray", "matplotlib", "pyarrow"]


@pytest.mark.parametrize(("module", "heavy"), [("app.main", [*EXTRAS, "numpy"]), ("app.cli", EXTRAS)])
def test_importing_it_brings_none_of_the_extras(module: str, heavy: list[str]) -> None:
    """Asking for one is noted, so that an import that fails here and is caught is found too."""
    script = f"""
import sys
asked = []
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {heavy!r}:
            asked.append(name)
sys.meta_path.insert(0, Refuse())
import {module}
print(*sorted(set(asked) | set({heavy!r}) & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
