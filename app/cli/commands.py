"""Every command, by its noun."""

import typer

from app.cli import (
    account,
    analyzing,
    changing,
    db,
    demo,
    export,
    fitting,
    planning,
    platform,
    pm,
    pm_again,
    pm_score,
    preregistering,
    reporting,
    serve,
    set_grading,
    sets,
    simulate,
    study,
)

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
sets.app.command("grade")(set_grading.grade)
sets.app.command("gradings")(set_grading.gradings)
app.add_typer(sets.app, name="set", help="Misconception sets: check, import, compare, grade, list, export.")
study.app.command("plan")(planning.plan)
study.app.command("preregister")(preregistering.preregister)
study.app.command("change")(changing.change)
study.app.command("give")(changing.give)
study.app.command("clone")(changing.clone)
study.app.command("pilot")(changing.pilot)
study.app.command("raise")(changing.raise_)
study.app.command("retire")(changing.retire)
study.app.command("fit")(fitting.fit)
app.add_typer(
    study.app,
    name="study",
    help="Studies: plan, create, change, preregister, open, pause, close, amend, copy, fit, list, show.",
)
app.add_typer(platform.app, name="platform", help="Platforms that send people: poll.")
pm.app.command("score")(pm_score.score)
pm.app.command("again")(pm_again.again)
app.add_typer(pm.app, name="pm", help="Preference models: pairs, score, import-scores, runs.")
app.command("simulate")(simulate.simulate)
app.add_typer(export.app, name="export", help="Tables as files: CSV, JSON Lines, Parquet, or all in a bundle.")
app.command("analyze")(analyzing.analyze)
app.command("report")(reporting.report)
