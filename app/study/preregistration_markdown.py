"""A preregistration to read: Markdown made from the stored document alone, so it says what the JSON says."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

_NAMES = {
    "pairs": "Pairs",
    "ratings_per_pair_and_arm": "Ratings of each pair in each arm",
    "arms": "Arms",
    "pairs_per_annotator": "Pairs for each annotator",
    "choices": "Counted choices in all",
    "annotators_at_least": "Annotators, at least",
}


def markdown(document: Mapping[str, Any], document_hash: str) -> str:
    """Return the document as Markdown. What the researcher wrote stands in quotations and code, as it is."""
    test, design = document["primary_test"], document["design"]
    parts = [
        f"# Preregistration: {_line(document['title'])}",
        "**Synthetic annotators alone.**" if design["synthetic"] else "",
        _table({
            "Study": design["slug"],
            "Written down at": document["made_at"],
            "Software": document["software"],
            "Set": f"{document['set']['slug']}, version {document['set']['version']}",
        }),
        "## Hypotheses",
        f"Primary: {document['hypotheses']['primary']}",
        "Secondary:",
        _bullets(document["hypotheses"]["secondary"]),
        "## Primary test",
        f"The difficulty slope, {test['sides']}, α = {test['alpha']}; in code `{test['code']}`.",
        _numbered(test["steps"]),
        "## Secondary tests",
        _bullets(document["secondary_tests"]),
        "## Arms",
        _numbered(f"{arm['truthful_kind']} truthful response, instructions: {arm['instructions']}"
                  for arm in document["arms"]),
        "## Sample size",
        _sample(document["sample"]),
        "## Stopping rule",
        _bullets(document["stopping"]),
        "## What is left out",
        _bullets(document["exclusions"]),
        "## Response times",
        _bullets(document["response_times"]),
        "## Exploratory",
        _bullets(document["exploratory"]),
        "## The question",
        _quoted(design["question"]),
        "## The whole design",
        _fenced(design),
        "## Hashes",
        "SHA-256, in hex, of canonical JSON: keys sorted, no spaces, UTF-8.",
        _table(_flat(document["hashes"])),
        f"Of this preregistration itself (its JSON document): `{document_hash}`",
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _line(text: str) -> str:
    return " ".join(text.split())


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _numbered(lines: Iterable[str]) -> str:
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())


def _table(rows: Mapping[str, Any]) -> str:
    lines = [f"| {name} | {_line(str(value))} |" for name, value in rows.items()]
    return "\n".join(["| | |", "| --- | --- |", *lines])


def _sample(sample: Mapping[str, Any]) -> str:
    levels = ", ".join(
        f"level {level}: {sample['pairs_by_level'][level]}" for level in sorted(sample["pairs_by_level"])
    )
    return _table({_NAMES[name]: sample[name] for name in _NAMES} | {"Pairs by level": levels})


def _flat(hashes: Mapping[str, Any]) -> dict[str, str]:
    texts = {f"text {name}": f"`{value}`" for name, value in sorted(hashes["texts"].items())}
    return {name: f"`{value}`" for name, value in sorted(hashes.items()) if name != "texts"} | texts


def _fenced(value: Any) -> str:
    """Return JSON in a fence that is longer than any within it."""
    written = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
    longest = max((len(run) for run in re.findall(r"`{3,}", written)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}json\n{written}\n{fence}"
