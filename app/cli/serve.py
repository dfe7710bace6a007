"""`candor serve`: the production server."""

import os
import socket
from contextlib import suppress
from typing import Annotated

import typer
import uvicorn

from app.cli.output import console
from app.cli.running import migrated_database
from app.errors import CandorError

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)]

APPLICATION = "app.main:from_environment"


class PortTaken(CandorError):
    """Something listens there already."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"{host}:{port} is in use or may not be listened on; choose another with --port")


def can_listen(host: str, port: int) -> bool:
    """Say whether a server could listen here."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(help="Server processes.", min=1, max=64)] = 1,
) -> None:
    """Serve the application on CANDOR_DATABASE_URL, or on the embedded Postgres."""
    if not can_listen(host, port):
        raise PortTaken(host, port)
    with migrated_database() as url:
        os.environ["CANDOR_DATABASE_URL"] = url
        console.print(f"Serving on http://{host}:{port} (Ctrl-C ends it)")
        with suppress(KeyboardInterrupt):  # Ctrl-C is how serving ends
            uvicorn.run(
                APPLICATION,
                factory=True,
                host=host,
                port=port,
                workers=workers,
                log_level="warning",
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=5,
            )
