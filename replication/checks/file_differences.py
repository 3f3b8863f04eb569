"""Where two files of one kind differ: the line of a text, the pixel of a picture, else the byte."""

from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path
from typing import Final

import numpy as np

TEXT: Final = (".tex", ".md", ".html", ".csv", ".json", ".yaml")
AROUND: Final = 24
"""Characters that are quoted on each side of a difference."""

PYTHON: Final = re.compile(r"(?<=python )3\.\d+\.\d+")
"""The version of Python in the line that names versions, which differs between machines."""


def difference(expected: Path, found: Path, *, ignoring: re.Pattern[str] | None = None) -> str:
    """The first place at which a file differs from another one, in words; empty for the same bytes.

    ``ignoring``: words that may differ in texts and in the descriptions of pictures.
    """
    if not found.is_file():
        return "the file was not written"
    left, right = expected.read_bytes(), found.read_bytes()
    if left == right:
        return ""
    if expected.suffix == ".png":
        words = picture_difference(expected, found, ignoring)
        return words or ("" if ignoring else byte_difference(left, right))
    if expected.suffix in TEXT:
        return text_difference(*(without(data.decode(errors="replace"), ignoring) for data in (left, right)))
    return byte_difference(left, right)


def without(text: str, ignoring: re.Pattern[str] | None) -> str:
    """The text without the words that may differ."""
    return ignoring.sub("", text) if ignoring else text


def text_difference(expected: str, found: str) -> str:
    """The first line and character that differ, with what stands around them."""
    lines = zip_longest(expected.split("\n"), found.split("\n"))
    for number, (left, right) in enumerate(lines, 1):
        if left != right:
            if left is None or right is None:
                more = "ends early" if right is None else "has lines that are not expected"
                return f"the file {more}, from line {number} on"
            pairs = zip_longest(left, right)
            place = next(at for at, (one, other) in enumerate(pairs) if one != other)
            cut = slice(max(place - AROUND, 0), place + AROUND)
            return f"line {number}, character {place + 1}: expected {left[cut]!r}, found {right[cut]!r}"
    return ""


def picture_difference(expected: Path, found: Path, ignoring: re.Pattern[str] | None = None) -> str:
    """The first pixel that differs and how many do, or the description that differs.

    Empty where only the compression does, or where one of the two is no picture.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(expected) as one, Image.open(found) as other:
            pixels = [np.asarray(image.convert("RGBA")) for image in (one, other)]
            words = [{str(key): str(value) for key, value in image.info.items()} for image in (one, other)]
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return ""
    left, right = pixels
    if left.shape != right.shape:
        sizes = [f"{shape[1]} by {shape[0]}" for shape in (left.shape, right.shape)]
        return f"the picture has {sizes[1]} pixels where {sizes[0]} are expected"
    changed = (left != right).any(axis=2)
    if changed.any():
        row, column = np.argwhere(changed)[0]
        return f"{int(changed.sum())} pixels differ, the first in row {row + 1}, column {column + 1}"
    for name in sorted(words[0].keys() | words[1].keys()):
        texts = [without(said.get(name, ""), ignoring) for said in words]
        if texts[0] != texts[1]:
            return f"the description {name!r} differs: {text_difference(*texts)}"
    return ""


def byte_difference(expected: bytes, found: bytes) -> str:
    """The first byte that differs."""
    pairs = zip_longest(expected, found)
    place = next(at for at, (one, other) in enumerate(pairs) if one != other)
    return f"byte {place + 1:,} differs ({len(found):,} bytes, {len(expected):,} expected)"
