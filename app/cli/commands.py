"""Every command, by its noun."""

import typer

from app.cli import account, db, demo, export, serve, sets, simulate, study

app = typer.Typer(
    name="candor",
    help="Human preference studies on sycophancy.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.add_typer(db.app, name="db", help="The database: upgrade, status, stop.")
app.add_typer(account.account, name="account", help="Accounts of researchers and admins.")
app.add_typer(sets.app, name="set", help="Misconception sets: check, import, list, export.")
app.add_typer(study.app, name="study", help="Studies: create, open, pause, close, list, show.")
app.command("simulate")(simulate.simulate)
app.command("export")(export.export)
