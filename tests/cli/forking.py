"""A process that has imported the command line and forks for each command.

Each command is a real process, with its own environment, working folder, exit code and streams, but the second that
the imports take is spent once. One line of JSON a command on standard input; its exit code on standard output.
"""

import json
import os
import sys
import traceback
from typing import Any, NoReturn

from app import cli


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _be_the_command(json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _be_the_command(asked: dict[str, Any]) -> NoReturn:
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    for stream, path in enumerate(asked["streams"]):
        os.dup2(os.open(path, os.O_RDWR), stream)
    sys.stdin = os.fdopen(0, encoding="utf-8")
    sys.argv = ["candor", *asked["arguments"]]
    code = 0
    try:
        cli.main()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter would
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
