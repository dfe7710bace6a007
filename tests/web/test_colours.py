"""Every pair of colours that meets on a page is told apart, in both modes: WCAG 2.2 AA, computed from the tokens."""

import re

import pytest

from app import resources

CSS = (resources.folder("static") / "candor.css").read_text()
TEXT, PART = 4.5, 3.0
PAIRS = [
    # What is seen, what it lies on, how much contrast it needs.
    ("ink", "paper", TEXT),
    ("ink", "sheet", TEXT),
    ("ink", "accent-wash", TEXT),
    ("ink-quiet", "paper", TEXT),
    ("ink-quiet", "sheet", TEXT),
    ("ink-quiet", "accent-wash", TEXT),
    ("accent", "paper", TEXT),
    ("accent", "sheet", TEXT),
    ("accent", "accent-wash", TEXT),
    ("accent-deep", "paper", TEXT),
    ("accent-deep", "sheet", TEXT),
    ("accent-deep", "accent-wash", TEXT),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-deep", TEXT),
    ("alert", "paper", TEXT),
    ("alert", "sheet", TEXT),
    ("alert", "alert-wash", TEXT),
    ("ink", "alert-wash", TEXT),
    ("edge", "paper", PART),
    ("edge", "sheet", PART),
    ("focus", "paper", PART),
    ("focus", "sheet", PART),
    ("accent", "rule", PART),
    ("amber", "paper", PART),
    ("blue", "paper", PART),
]


def tokens(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})\b", block))


def block(start: str) -> str:
    (found,) = re.findall(re.escape(start) + r"(.*?)\n\s*\}", CSS, re.DOTALL)
    return str(found)


LIGHT = tokens(block("\n:root {"))
MODES = {"light": LIGHT, "dark": LIGHT | tokens(block("@media screen and (prefers-color-scheme: dark) {\n  :root {"))}


def luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("seen", "ground", "least"), PAIRS)
def test_colours_are_told_apart(mode: str, seen: str, ground: str, least: float) -> None:
    colours = MODES[mode]
    assert contrast(colours[seen], colours[ground]) >= least


def test_dark_has_a_palette_of_its_own() -> None:
    assert tokens(block("@media screen and (prefers-color-scheme: dark) {\n  :root {")).keys() == LIGHT.keys()


def test_every_colour_is_a_token_that_is_tested() -> None:
    named = {name for seen, ground, _ in PAIRS for name in (seen, ground)}
    assert named == LIGHT.keys()
    components, _print = CSS.split("/* ---------------------------------------------------------------- Ground */")[
        1
    ].split("@media print")
    assert not re.findall(r"#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(", components)
    assert set(re.findall(r"var\(--([a-z0-9-]+)\)", CSS)) == set(re.findall(r"^\s*--([a-z0-9-]+):", CSS, re.MULTILINE))
