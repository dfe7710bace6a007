"""`python -m app.cli`: the same as `candor`."""

from app.cli import main

main()
