"""A user of a server, as a process of its own: holds it until it is told to go on, or killed."""

import sys
from pathlib import Path

from app.postgres import Cluster, hold

if __name__ == "__main__":
    with hold(Cluster(Path(sys.argv[1]))) as server:
        print(server.conninfo, flush=True)  # noqa: T201 - this is how the test hears of it
        sys.stdin.readline()
