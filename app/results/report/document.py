"""The report: one HTML file with everything in it, that asks no network and runs no script."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.metadata import version

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from app import resources
from app.markdown import document
from app.results.findings import Findings
from app.results.report.contents import results
from app.results.report.methods import methods
from app.results.report.parts import Results


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The context of the report. `style` is the stylesheet; `preregistration` what was written down."""

    title: str
    made_at: str
    version: str
    style: Markup
    results: Results
    methods: tuple[tuple[str, str], ...]
    preregistration: Markup


@lru_cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(resources.folder("templates")),
        undefined=StrictUndefined,
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def report(findings: Findings, data_version: str, *, made_at: datetime, preregistration: str = "") -> str:
    """Return the report of a study's findings as HTML. But for `made_at`, the same findings give the same text.

    Parameters
    ----------
    findings, data_version
        The numbers, and the version of the data that they were computed from.
    made_at
        When the report is made, with its time zone.
    preregistration
        What was written down before the study opened, as Markdown; empty where nothing was.
    """
    shown = results(findings, data_version)
    css = (resources.folder("static") / "candor.css").read_text(encoding="utf-8")
    context = Report(
        title=f"Results of {findings.facts.title or findings.facts.slug}",
        made_at=f"{made_at:%Y-%m-%d %H:%M %Z}",
        version=version("candor"),
        style=Markup(css),  # noqa: S704 - our own stylesheet, in which nothing is written by anybody else
        results=shown,
        methods=methods(findings, data_version) if shown.figures else (),
        preregistration=document(preregistration),
    )
    return _environment().get_template("results/report.html").render(report=context)
