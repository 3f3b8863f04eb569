"""Pages of the documentation as blocks of code, run one after another as a reader does."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replication.cli import main

DOCS = Path(__file__).parents[2] / "docs"
FENCE = re.compile(r"(?ms)^```(\w*)\n(.*?)^```$")
EXIT = re.compile(r"# exit code (\d)$")


@dataclass
class Block:
    """One fenced block: its language, its text, and whether it is a folded solution."""

    kind: str
    text: str
    solution: bool
    printed: str = ""


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page in their order."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = []
    for hit in FENCE.finditer(text):
        before = text[: hit.start()]
        found.append(Block(hit[1], hit[2], before.count("<details") > before.count("</details>")))
    return found


def commands(block: Block) -> list[tuple[list[str], int]]:
    """Arguments of every command of a shell block, and the exit code that the page promises."""
    lines = [line for line in block.text.replace("\\\n", " ").splitlines() if not line.startswith("#")]
    codes = [EXIT.search(line) for line in lines]
    return [
        (shlex.split(line, comments=True), int(code[1]) if code else 0)
        for line, code in zip(lines, codes, strict=True)
    ]


def run(block: Block, names: dict[str, Any]) -> None:
    """Run a block of Python or of ``replication`` commands in the current folder; keep what it prints."""
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard):
        if block.kind == "python":
            exec(compile(block.text, "<page>", "exec"), names)
        elif block.kind == "sh":
            for words, code in commands(block):
                if words[0] == "replication":
                    assert main(words[1:]) == code, words
    block.printed = heard.getvalue()


def run_page(page: str) -> list[Block]:
    """Run every block of a page in one session, solutions included."""
    found = blocks(page)
    names: dict[str, Any] = {"__name__": "page"}
    for block in found:
        run(block, names)
    return found
