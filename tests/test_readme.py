"""The README names every setting, command and column: a reader can trust that it is all there."""

from pathlib import Path

import pytest
import typer
from typer.main import get_command

from app.cli.commands import app
from app.exports.tables import TABLES
from app.settings import Settings

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def command_names() -> list[str]:
    names = []
    root = get_command(app)
    assert isinstance(root, typer.core.TyperGroup)
    for name, command in root.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            names += [f"candor {name} {verb}" for verb in command.commands]
        else:
            names.append(f"candor {name}")
    return names


@pytest.mark.parametrize("setting", sorted(Settings.model_fields))
def test_every_setting_is_in_the_readme(setting: str) -> None:
    assert f"| `CANDOR_{setting.upper()}` |" in README


@pytest.mark.parametrize("command", command_names())
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"| `{command}" in README


@pytest.mark.parametrize(("table", "column"), [(t.name, c.name) for t in TABLES.values() for c in t.columns])
def test_every_column_is_in_the_readme(table: str, column: str) -> None:
    assert f"`{column}`" in README.split(f"## The {table} table")[1].split("\n## ")[0]


@pytest.mark.parametrize(
    "name", ["app/study", "app/web", "app/models", "app/exports", "app/results", "app/postgres", "app/cli"]
)
def test_every_package_is_on_the_map(name: str) -> None:
    assert f"`{name}/`" in README


def test_every_package_travels_in_the_wheel() -> None:
    root = Path(__file__).parent.parent
    pyproject = (root / "pyproject.toml").read_text(encoding="utf-8")
    packages = [str(init.parent.relative_to(root)).replace("/", ".") for init in root.glob("app/**/__init__.py")]
    assert len(packages) > 8
    assert [name for name in packages if f'"{name}",' not in pyproject] == []
