"""The words that ``docs/style.md`` replaces do not come back: in documents, and in the prose of the code."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BRITISH = {
    "-our": r"\b(behaviour|colour|favour|flavour|harbour|honour|humour|labour|neighbour|rigour|vigour)\w*",
    "-ise": r"\b(capital|central|character|emphas|factor|final|formal|general|initial|local|maxim|minim"
    r"|normal|optim|organ|parametr|random|real|recogn|reorgan|special|standard|student|summar|synchron|util"
    r"|victim|visual)is(e|ed|es|er|ing|ation|ations)\b",
    "-yse": r"\b(analyse[dr]?|analysing|catalyse[ds]?|paralyse[ds]?)\b",
    "-re": r"\b(calibre|centre|fibre|kilometre|litre|metre|millimetre)[ds]?\b",
    "-ll-": r"\b(un)?(cancell|labell|modell|signall|travell)(ed|ing)\b",
    "-ence": r"\b(defence|licence|offence|pretence)s?\b",
    "-ogue": r"\b(analogue|catalogue|dialogue)s?\b",
    "grey": r"\bgreys?\b",
    "programme": r"\bprogrammes?\b",
    "per cent": r"\bper cent\b",
    "others": r"\b(ageing|artefact|cheque|fulfil|judgement|learnt|misspelt|mould|plough|sceptic|spelt)\w*",
    "towards": r"\b(afterwards|amongst|backwards|downwards|towards|upwards|whilst)\b",
}
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
DIALECT = {
    "law": r"\bnormal laws?\b|\bt laws?\b|\blaws? of (each|the|a|all) \w*t-values?\b|\blaw is set\b",
    "errors clustered": r"(?<!standard )\berrors (are )?clustered\b|(?<!standard )\bclustered errors\b",
    "errors": r"\b(analytic|bootstrap|jackknife|multiplier|placebo|reported|spatial) errors\b",
    "a row a unit": r"\b(a|one) (block|column|file|line|number|panel|record|row) an? \w+",
    "is said": r"\b(is|are|was|were|be) (said|told)\b|\bsays? so\b|\btold (apart|from)\b",
    "nobody": r"\b(nobody|somebody)\b",
    "unit lines": r"\bunit lines\b|\b(a|own|pre-treatment) lines? (for|of) (every|each)\b",
    "made counties": r"\bmade (agencies|counties|county|files|masters)\b",
    "leaves zero out": r"\bleaves? zero out\b",
    "beyond chance": r"\b(beyond chance|may be chance)\b",
    "effects of county": r"\beffects of (county|state|city|pair) (and|by)\b",
    "switched on": r"\bswitched on\b",
    "hands over": r"\bhand(ed|s)? over\b",
    "goes on": r"\bgo(es|ing) on (where|if|from)\b",
    "put right": r"\bput right\b",
    "proved": r"\b(is|are|be) proved\b",
    "left of the treatment": r"\bwhat is left of the treatment\b",
    "second engine": r"\b(second|another|independent)[ -]engines?\b",
    "day month year": rf"\b\d\d? (?-i:{MONTHS})\b",
    "exchange schedules": r"\bexchang(es?|ed|ing) ((its|their) )?(adoption|dates|months|schedules)\b",
    "schedules": r"\b(activation|adoption|whole) schedules?\b|\bschedules? (of a(ctiva|dop)tion|across)\b",
    "as people write it": r"\bas people (do|write)\b",
    "in some results": r"\bin some results\b",
    "holds a value": r"\bholds? (labels|neither|no (event|keys|list|record)|nothing|text)\b",
    "however it reports": r"\bhowever it reports\b|\bwhose police reported\b",
    "the method is at fault": r"\b(is at fault|no sample would cure|miss(es)? the truth)\b",
    "as they stand": r"\bas (it|they) stands? in\b|\bheld by its data\b",
    "made-up": r"\bmade-up\b",
    "effective clusters": r"\brests? on (fewer than )?\S+ effective clusters\b",
    "carries the estimate": r"\bcarr(y|ies) the estimate\b",
    "lacks the outcome": r"\blacks? the outcome in some\b",
    "people of a year": r"\b(people|population) of (19|20)\d\d\b",
}
# Titles that people read first; columns, keys and ids of data keep the spelling they have.
READ_FIRST = {
    "last quarter": r"\b[Ll]ast quarter\b",
    "rules of coverage": r"\brules? of coverage\b",
    "Two-way effects": r"\bTwo-way effects\b",
}
# Names of the data and citations keep their spelling.
KEPT = re.compile(r"Human Behaviour|``[^`]+``|`[^`\n]+`|\b\w*_\w*\b|<\w+>|\{[^{}]*\}|\S+/\S+|'[\w.: ]{1,30}'")
KEYS = re.compile(r"^\s*(- )?(id|source|copies|spec|x|y|file|kind):.*$", re.MULTILINE)
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/*.md",
    "data_raw/*.md",
    "data_raw/typed/*.md",
    "studies/*.md",
)
DATA = ("studies/**/*.yaml", "studies/**/*.j2", "replication/**/*.json", "config.yaml", "Snakefile")
CODE = ("replication/**/*.py", "studies/**/*.py", "benchmarks/**/*.py")


def files(*patterns: str) -> list[Path]:
    found = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}
    return sorted(path for path in found - {ROOT / "docs" / "style.md"} if "expected" not in path.parts)


def prose(source: str) -> list[tuple[int, str]]:
    """Line and text of every docstring, comment and string of words in a Python file."""
    found = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and " " in token.string):
            found.append((token.start[0], token.string))
    return found


@cache
def texts() -> list[tuple[str, str]]:
    """Place and text, spaces made one and names of data taken out, of all that people read."""
    found = []
    for path in files(*CODE):
        where = path.relative_to(ROOT)
        for line, text in prose(path.read_text(encoding="utf-8")):
            found.append((f"{where}:{line}", text))
    for path in files(*DOCUMENTS, *DATA):
        paragraphs = KEYS.sub("", path.read_text(encoding="utf-8")).split("\n\n")
        found += [(str(path.relative_to(ROOT)), text) for text in paragraphs]
    return [(place, KEPT.sub("_", re.sub(r"\s+(# )?", " ", text))) for place, text in found]


def places(pattern: str) -> list[str]:
    word = re.compile(pattern, re.IGNORECASE)
    return [
        f"{place}: {text[max(0, hit.start() - 30) : hit.end() + 30]}"
        for place, text in texts()
        for hit in word.finditer(text)
    ]


@pytest.mark.parametrize("name", BRITISH)
def test_spelling_is_american(name: str) -> None:
    assert len(texts()) > 5000
    assert places(BRITISH[name]) == []


@pytest.mark.parametrize("name", DIALECT)
def test_words_of_the_dialect_do_not_come_back(name: str) -> None:
    assert places(DIALECT[name]) == []


@pytest.mark.parametrize("name", READ_FIRST)
def test_titles_notes_and_summaries_do_not_say(name: str) -> None:
    paths = files("README.md", "studies/**/*.yaml", "studies/**/*.j2")
    assert len(paths) > 20
    word = re.compile(READ_FIRST[name])
    assert [str(path) for path in paths if word.search(KEYS.sub("", path.read_text(encoding="utf-8")))] == []


def test_names_of_functions_classes_and_files_are_american() -> None:
    word = re.compile("|".join(f"(?:{pattern})" for pattern in BRITISH.values()), re.IGNORECASE)
    found = []
    for path in files(*CODE):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        kinds = (ast.FunctionDef, ast.ClassDef)
        names = [path.stem, *(node.name for node in ast.walk(tree) if isinstance(node, kinds))]
        found += [f"{path.name}: {name}" for name in names if word.search(name.replace("_", " "))]
    assert found == []
