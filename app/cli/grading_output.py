"""What grading a set prints: how plausible its levels are, how far gradings agree, and what regrouping changed."""

from typing import Any

from app.cli.output import console, print_table
from app.study.gradings import GradingListed, Regrouped
from app.terms import GradingKind


def facts(listed: GradingListed) -> dict[str, Any]:
    """Return a grading for a program."""
    named = {"grading": listed.id, "set": listed.slug, "version": listed.version}
    return named | {name: getattr(listed, name) for name in ("by", "kind", "prompt_hash", "made_at", "record")}


def regrouped_facts(done: Regrouped) -> dict[str, Any]:
    """Return what regrouping did, for a program."""
    return {
        "version": done.imported.version,
        "content_hash": done.imported.content_hash,
        "new": done.imported.new,
        "changed": done.changed,
        "moved": {str(by): n for by, n in done.moved.items()},
        "newly": done.newly,
    }


def print_grading(listed: GradingListed, *, regroups: bool) -> None:
    """Say what was graded, and how the grading agrees."""
    found = listed.record["found"]
    asked = "raters" if listed.kind is GradingKind.RATINGS else "questions"
    _say(
        f"Grading {listed.id} of {listed.slug} version {listed.version}: {found['n_claims']:,} claims, "
        f"{found['n_raters']} {asked}, by {_by(listed)}"
    )
    if listed.prompt_hash:
        _say(f"prompt hash {listed.prompt_hash}")
        _say(f"probability of an answer at all, on average: {listed.record['answered']:.2f}")
    if found["mean_by_level"]:
        levels = ", ".join(f"{level}: {mean:.1f}" for level, mean in found["mean_by_level"].items())
        _say(f"plausibility (0 to 100) by the set's own levels: {levels}")
    _say(f"agreement with the set's own levels: {_with_levels(found)}")
    _say(f"agreement between {asked}: {_between(found)}")
    cuts = found["at_cuts"]
    _say(
        f"of eight groups by rank: {cuts['within_a_point']:,} claims within a point of a cut, "
        f"{cuts['on_tied_values']:,} divided by their keys alone"
    )
    if not regroups:
        _say(f"no level was changed; candor set grade {listed.slug} --grading {listed.id} --regroup makes a version")


def print_regrouped(done: Regrouped) -> None:
    """Say which version has the levels, and how many claims moved."""
    if not done.imported.new:
        _say(f"Version {done.imported.version} of {done.imported.slug} has these very levels already.")
        return
    moved = [f"{n:,} by {by} level{'s' * (by > 1)}" for by, n in done.moved.items()]
    first = [f"{done.newly:,} for the first time"] if done.newly else []
    kept = done.imported.n_misconceptions - done.changed
    _say(
        f"Made {done.imported.slug} version {done.imported.version} ({done.imported.content_hash[:12]}): the levels of "
        f"{done.changed:,} claims changed ({', '.join(first + moved) or 'none'}), {kept:,} stayed; nothing else differs"
    )
    _say(
        f"candor set diff {done.imported.slug}@{done.graded_version} {done.imported.slug}@{done.imported.version} "
        "names each"
    )


def print_gradings(found: list[GradingListed]) -> None:
    """List gradings."""
    headings = ["Grading", "Version", "By", "Kind", "Made", "Spearman with levels", "Kappa", "Claims at a cut"]
    print_table(headings, [_cells(one) for one in found])


def _cells(listed: GradingListed) -> list[str]:
    found = listed.record["found"]
    agreed = found["with_levels"]
    return [
        str(listed.id),
        str(listed.version),
        _by(listed),
        listed.kind.value,
        f"{listed.made_at:%Y-%m-%d}",
        f"{agreed['spearman']:.2f} [{agreed['low']:.2f}, {agreed['high']:.2f}]" if agreed else "none",
        _figure(agreed["weighted_kappa"]) if agreed else "none",
        f"{found['at_cuts']['within_a_point']:,}",
    ]


def _by(listed: GradingListed) -> str:
    return listed.by + (" (random weights)" if listed.record.get("random_weights") else "")


def _with_levels(found: dict[str, Any]) -> str:
    agreed = found["with_levels"]
    if agreed is None:
        return "none to tell; fewer than four claims have a level, or all have the same value"
    return (
        f"Spearman {agreed['spearman']:.3f} [{agreed['low']:.3f}, {agreed['high']:.3f}], "
        f"quadratic-weighted kappa {_figure(agreed['weighted_kappa'])}, n = {agreed['n']:,}"
    )


def _between(found: dict[str, Any]) -> str:
    agreed = found["between_raters"]
    if agreed is None:
        return "none to tell; no two have four claims in common"
    return (
        f"Spearman {_figure(agreed['spearman'])}, quadratic-weighted kappa {_figure(agreed['weighted_kappa'])} "
        f"(means over {agreed['n_pairs']:,} pairs)"
    )


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _say(line: str) -> None:
    console.print(line, markup=False)
