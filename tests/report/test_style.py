"""The words that ``docs/style.md`` replaces do not come back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EVERYWHERE = {
    "per cent": r"\b[Pp]er cent\b",
    "programme": r"\b[Pp]rogrammes?\b",
    "behaviour": r"(?<!Human )\b[Bb]ehaviour\b",
    "effects of county": r"\beffects of (county|state|city|pair) (and|by)\b",
    "errors clustered": r"(?<!tandard )\b[Ee]rrors clustered\b",
    "leaves zero out": r"\bleaves? zero out\b",
    "beyond chance": r"\b(beyond chance|may be chance)\b",
    "made counties": r"\b[Mm]ade (counties|files|masters)\b",
    "switched on": r"\bswitched on\b",
    "a row a unit": r"\ba (row|file|column|line) a [a-z]+\b",
}
# Columns and keys of data keep the spelling they have, so spellings are held where people read titles.
READ_FIRST = {
    "offence": r"(?<![\w/`])[Oo]ffences?(?![\w/.`])",
    "neighbour": r"(?<![\w:])[Nn]eighbour[a-z]*(?!\w)",
    "last quarter": r"\b[Ll]ast quarter\b",
    "rules of coverage": r"\brules? of coverage\b",
    "Two-way effects": r"\bTwo-way effects\b",
}
KEYS = re.compile(r"^\s*(- )?(id|source|copies|spec|x|y):")


def files(*patterns: str) -> list[Path]:
    found = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}
    return sorted(found - {ROOT / "docs" / "style.md"})


def lines_with(pattern: str, paths: list[Path]) -> list[str]:
    word = re.compile(pattern)
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if word.search(line) and not KEYS.match(line)
    ]


@pytest.mark.parametrize("name", EVERYWHERE)
def test_documentation_studies_and_package_do_not_say(name: str) -> None:
    places = ("README.md", "docs/*.md", "studies/**/*.yaml", "studies/**/*.j2", "replication/**/*.py")
    paths = files(*places)
    assert len(paths) > 100
    assert lines_with(EVERYWHERE[name], paths) == []


@pytest.mark.parametrize("name", READ_FIRST)
def test_titles_notes_and_summaries_do_not_say(name: str) -> None:
    places = ("README.md", "studies/*/study.yaml", "studies/*/tables*", "studies/*/tables/*.yaml")
    paths = files(*places, "studies/*/figures.yaml", "studies/*/figures/*.yaml", "studies/*/*.j2")
    assert len(paths) > 20
    assert lines_with(READ_FIRST[name], paths) == []
