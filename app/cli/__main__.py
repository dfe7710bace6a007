"""`python -m app.cli`: the `candor` command, without its script."""

from app.cli import main

main()
