"""The texts of a study's tables, figures and analyses with the specifications that each speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replication.core.errors import SpecError, nearest
from replication.core.plain_data import texts_in
from replication.core.spec_words import WORDS, SpecWords, study_words

TEXTS = ("label", "heading", "title")
WHOLE = ("title", "notes")
"""Texts of an entry that speak of all its specifications, and of some of them only at times."""
ANALYSES = "analyses/"
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class LabelText:
    """A text, where it stands, and the specifications that it speaks of.

    Attributes
    ----------
    place, key : the mapping or list that holds it, and its key there; None for a key of a mapping.
    specs : ids.
    whole : whether it speaks of a whole entry, so that a claim need not hold for every specification.
    """

    text: str
    place: Any
    key: Any
    specs: tuple[str, ...]
    whole: bool = False

    @property
    def note(self) -> bool:
        """Whether it is a note."""
        return isinstance(self.place, list)

    @property
    def claimed(self) -> str:
        """What it says of the specifications: beside a finding reported in words, what follows ``here``."""
        reported = isinstance(self.place, dict) and "reported" in self.place
        return self.text.partition("here")[2] if reported else self.text


def label_texts(entry: dict[str, Any], known: Mapping[str, Any], data: Mapping[str, Any]) -> list[LabelText]:
    """Every label, heading, title and note of an entry."""
    every = named_specs(entry, known)
    source = str(entry.get("source", ""))
    if source.startswith(ANALYSES):
        name = Path(source).stem
        every += [
            spec
            for other in data.get("analyses", [])
            if other.get("id") == name
            for spec in named_specs(other, known)
        ]
    found = [LabelText(str(entry["title"]), entry, "title", tuple(every), True)] if "title" in entry else []
    notes = entry.get("notes")
    if isinstance(notes, list):
        found += [
            LabelText(note, notes, place, tuple(every), True)
            for place, note in enumerate(notes)
            if isinstance(note, str)
        ]
    found += _of_columns(entry, known)
    found += [text for key, part in entry.items() if key not in WHOLE for text in _inside(part, known)]
    return found


def _of_columns(entry: Mapping[str, Any], known: Mapping[str, Any]) -> list[LabelText]:
    """Labels of columns whose specifications are in the panels of the entry."""
    panels = [one["specs"] for one in listed(entry.get("panels")) if isinstance(one, dict) and "specs" in one]
    items = [item if isinstance(item, dict) else {"columns": [item]} for item in listed(entry.get("columns"))]
    leaves = [leaf for item in items for leaf in listed(item.get("columns", [item]))]
    return [
        LabelText(
            leaf["label"], leaf, "label", tuple(one[place] for one in panels if _has(one, place, known))
        )
        for place, leaf in enumerate(leaves)
        if panels and isinstance(leaf, dict) and isinstance(leaf.get("label"), str)
    ]


def _has(specs: Any, place: int, known: Mapping[str, Any]) -> bool:
    return isinstance(specs, list) and place < len(specs) and specs[place] in known


def _inside(node: Any, known: Mapping[str, Any]) -> Iterator[LabelText]:
    if isinstance(node, dict):
        specs = tuple(named_specs(node, known))
        for key in TEXTS:
            if isinstance(node.get(key), str) and specs:
                heads = key != "heading" or bool({"rows", "columns", "specs"} & set(node))
                yield LabelText(node[key], node, key, specs if heads else ())
        for key, part in node.items():
            own = tuple(named_specs(part, known))
            # A mapping of labels to specifications, as analyses have them.
            if own and isinstance(key, str) and key[:1].isupper():
                yield LabelText(key, node, None, own)
            yield from _inside(part, known)
    elif isinstance(node, list):
        for part in node:
            yield from _inside(part, known)


def named_specs(node: Any, known: Mapping[str, Any]) -> list[str]:
    """Ids of specifications inside nested plain data."""
    return list(dict.fromkeys(text for text in texts_in(node) if text in known))


def listed(value: Any) -> list[Any]:
    """A list, or none."""
    return value if isinstance(value, list) else []


def fill_labels(folder: Path, data: dict[str, Any], parts: Sequence[str]) -> None:
    """Put what the specifications say in the place of ``{cluster}`` and the like, in labels and notes.

    Raises
    ------
    SpecError
        For a placeholder that there is not, or one in a text that speaks of no specification.
    """
    entries = [(part, entry) for part in parts for entry in listed(data.get(part))]
    if not any("{" in text for _, entry in entries for text in texts_in(entry)):
        return
    known = study_words(folder, data)
    for part, entry in entries:
        for found in label_texts(entry, known, data):
            if found.key is not None and PLACEHOLDER.search(found.text):
                where = f"{folder.parent.name}/{folder.name}, {part}, {entry.get('id')}"
                found.place[found.key] = filled(found, [known[name] for name in found.specs], where)


def filled(found: LabelText, specs: Sequence[SpecWords], where: str) -> str:
    """A text with its placeholders filled; where specifications differ, with what each says."""

    def words(match: re.Match[str]) -> str:
        """What the specifications say in place of one placeholder."""
        name = match[1]
        if name not in WORDS:
            raise SpecError(
                f"{where}: the text {found.text!r} has the placeholder {match[0]}{nearest(name, WORDS)}, "
                f"which nothing fills. There are: {', '.join(f'{{{one}}}' for one in WORDS)}."
            )
        if not specs:
            raise SpecError(
                f"{where}: the text {found.text!r} has the placeholder {match[0]} and speaks of no "
                "specification of the study. Write it out, or put it beside the specification that fills it."
            )
        said = list(dict.fromkeys(WORDS[name](one) for one in specs))
        return " or ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)

    text = PLACEHOLDER.sub(words, found.text)
    begins = found.text.startswith("{")
    return text[:1].upper() + text[1:] if begins else text
