"""The documentation: what its pages promise runs, its links resolve, its navigation is complete."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import shlex
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from documented_pages import DOCS, FENCE, Block, blocks, run, run_page

import replication as rp
from replication.cli import EXAMPLES, parser
from replication.estimators.registry import ENTRIES
from replication.sources.manifest import load_manifest
from replication.workflow.steps import step

ROOT = DOCS.parent
RUN = ("quick_start.md", "own_data.md", "tutorial.md")
IN_A_PROJECT = ("trace.md",)
INSTALLS = ("workflow.md",)
"""Its block makes an environment from the network, as ``.ci/run`` does."""
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
EXERCISES = 5


def configuration() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_hooks", DOCS / "site_hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def in_order(expected: list[str], printed: list[str]) -> bool:
    """Whether all lines are printed in this order; three dots leave lines out, otherwise all are there."""
    if "..." not in expected:
        return expected == printed
    cut = expected.index("...")
    return (
        expected[:cut] == printed[:cut]
        and expected[cut + 1 :] == printed[len(printed) - len(expected) + cut + 1 :]
    )


def lines_of(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().splitlines()]


@pytest.mark.parametrize("page", RUN)
def test_every_block_runs_and_prints_what_the_page_says(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REPLICATION_ROOT", raising=False)
    found = run_page(page)
    assert {block.kind for block in found} <= {"python", "sh", "text"}
    shown = [place for place, block in enumerate(found) if block.kind == "text"]
    assert shown
    for place in shown:
        source = found[place - 1]
        assert in_order(lines_of(found[place].text), lines_of(source.printed)), source.printed
    for block in found:
        named = re.findall(r"(?:-o|--out) (\S+)", block.text) if block.kind == "sh" else []
        assert [name for name in named if not (tmp_path / name).exists()] == []
    promised = set(re.findall(r"`(\w+/index\.html)`", (DOCS / page).read_text(encoding="utf-8")))
    assert [name for name in promised - {"report/index.html"} if not (tmp_path / name).is_file()] == []


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the estimates of the study that the page on traces follows; it needs no download."""
    root = tmp_path_factory.mktemp("project")
    for name in ("Snakefile", "config.yaml", "environment.yaml"):
        shutil.copy(ROOT / name, root / name)
    shutil.copytree(ROOT / "data_raw" / "typed", root / "data_raw" / "typed")
    shutil.copy(ROOT / "data_raw" / "sources.yaml", root / "data_raw")
    shutil.copytree(ROOT / "studies" / "castle_doctrine", root / "studies" / "castle_doctrine")
    (root / "studies" / "__init__.py").touch()
    for name in ("clean", "estimate", "check", "analyze"):
        assert step(name, "castle_doctrine", root, threads=2, log=None) == 0
    return root


@pytest.mark.parametrize("page", IN_A_PROJECT)
def test_every_command_in_a_project_runs(page: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    monkeypatch.delenv("REPLICATION_ROOT", raising=False)
    text = "".join(block.text for block in blocks(page) if block.kind == "sh")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) >= 4
    assert all(printed(line) for line in lines)


def printed(line: str) -> str:
    """What a command prints."""
    block = Block("sh", line, solution=False)
    run(block, {})
    return block.printed


def test_every_trace_that_a_page_or_the_help_shows_is_one(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.delenv("REPLICATION_ROOT", raising=False)
    text = "\n".join(
        [EXAMPLES, *(path.read_text(encoding="utf-8") for path in [*pages(), ROOT / "README.md"])]
    )
    found = set(re.findall(r'replication trace [^\s`]+(?: "[^"`]+")+', text))
    assert len(found) >= 3
    assert all(printed(line) for line in found)


def test_the_blocks_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REPLICATION_ROOT", raising=False)
    names = {"unit": "state", "time": "quarter", "cohort": "law", "y": "rate"}
    rp.simulated_panel().drop(columns="state").rename(columns=names).to_csv("my.csv", index=False)
    found = run_page("../README.md")
    assert {"python", "sh"} <= {block.kind for block in found}
    for name in ("table.tex", "event_study.png", "results/index.html"):
        assert (tmp_path / name).is_file(), name


def test_every_page_with_commands_is_run() -> None:
    with_commands = {path.name for path in pages() if "```sh\n" in path.read_text(encoding="utf-8")}
    assert with_commands == {*RUN, *IN_A_PROJECT, *INSTALLS} - {"tutorial.md"}


@pytest.mark.parametrize(
    "path", [*sorted(DOCS.rglob("*.md")), ROOT / "README.md"], ids=lambda path: path.name
)
def test_commands_within_sentences_have_options_that_exist(path: Path) -> None:
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    for command in re.findall(r"`replication ([^`]*)`", text):
        words = shlex.split(" ".join(command.split()))
        named = words[:2] if words[0] == "data" else words[:1]
        if words != named:
            assert callable(parser().parse_args(words).run), command
            continue
        # A command alone names itself.
        with pytest.raises(SystemExit) as ended:
            parser().parse_args([*named, "--help"])
        assert not ended.value.code, command


def test_shell_blocks_are_commands_of_the_package_or_targets_of_make() -> None:
    targets = re.findall(r"(?m)^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"))
    for page in RUN:
        for block in blocks(page):
            if block.kind == "sh":
                for line in block.text.replace("\\\n", " ").splitlines():
                    words = line.split()
                    assert words[0] == "replication" or (words[0] == "make" and words[1:] == []), line
    assert "all" in targets


def exercises() -> list[tuple[int, Block, Block]]:
    """Place of the stub, solution and check of every exercise of the tutorial."""
    found = blocks("tutorial.md")
    return [
        (place, found[place + 1], found[place + 2])
        for place, block in enumerate(found)
        if block.text.strip() == "answer = None"
    ]


def test_the_tutorial_has_five_exercises_with_solution_and_check() -> None:
    found = exercises()
    assert len(found) == EXERCISES
    assert all(solution.solution and "answer = " in solution.text for _, solution, _ in found)
    assert all(not check.solution and "assert " in check.text for _, _, check in found)


def test_every_check_refuses_no_answer_and_wrong_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = blocks("tutorial.md")
    checks = {place + 2: check for place, _, check in exercises()}
    names: dict[str, Any] = {"__name__": "page"}
    for place, block in enumerate(found):
        if place in checks:
            right = names["answer"]
            for wrong in (None, 0.0, right * 1.01, -right, right + 0.1):
                names["answer"] = wrong
                with pytest.raises(AssertionError):
                    run(checks[place], names)
            names["answer"] = right
        run(block, names)


def test_the_notebook_is_the_tutorial(hooks: ModuleType) -> None:
    text = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    made = (DOCS / "tutorial.ipynb").read_text(encoding="utf-8")
    assert made == hooks.notebook(text), "Run `python docs/site_hooks.py`."
    cells = json.loads(made)["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert code == [block.text.strip() for block in blocks("tutorial.md") if block.kind == "python"]


def pages() -> list[Path]:
    return sorted(DOCS.rglob("*.md"))


def test_the_navigation_lists_every_page_once() -> None:
    def named(entry: Any) -> list[str]:
        if isinstance(entry, dict):
            return [page for value in entry.values() for page in named(value)]
        return [page for part in entry for page in named(part)] if isinstance(entry, list) else [entry]

    listed = named(configuration()["nav"])
    assert sorted(listed) == [str(path.relative_to(DOCS)) for path in pages()]


def anchors(path: Path) -> set[str]:
    heads = re.findall(r"(?m)^#+ (.*)$", FENCE.sub("", path.read_text(encoding="utf-8")))
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", head).strip().lower()) for head in heads}


@pytest.mark.parametrize("path", [*pages(), ROOT / "README.md"], ids=lambda path: path.name)
def test_relative_links_resolve(path: Path) -> None:
    for link in LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8"))):
        if re.match(r"https?:|mailto:", link):
            continue
        name, _, anchor = link.partition("#")
        place = path.parent / name if name else path
        assert place.is_file(), link
        assert path.name == "README.md" or DOCS in place.resolve().parents, f"{link} leaves the site"
        assert not anchor or anchor in anchors(place), link


def test_nothing_is_loaded_from_the_network() -> None:
    chosen = configuration()
    assert chosen["theme"]["font"] is False
    assert "extra_javascript" not in chosen
    for name in chosen["extra_css"]:
        assert not re.search(r"@import|url\(", (DOCS / name).read_text(encoding="utf-8"))
    for path in pages():
        assert not re.search(
            r"!\[[^\]]*\]\(https?:|<(script|link|img|iframe)\b", path.read_text(encoding="utf-8")
        )


def test_the_extra_names_what_the_site_needs() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extra = re.search(r"(?ms)^docs = \[(.*?)^\]", text)
    assert extra is not None
    assert set(re.findall(r'"([\w-]+)', extra[1])) == {
        "latex2mathml",
        "mkdocs-material",
        "mkdocstrings-python",
    }


def test_the_functions_page_documents_every_name() -> None:
    listed = re.findall(r"(?m)^::: (\S+)$", (DOCS / "api.md").read_text(encoding="utf-8"))
    found = [
        getattr(importlib.import_module(module), name) for module, name in (x.rsplit(".", 1) for x in listed)
    ]
    assert all(item.__doc__ for item in found)
    assert sorted(name.rsplit(".", 1)[1] for name in listed) == sorted(set(rp.__all__) - {"__version__"})


def test_every_estimator_has_a_section_of_methods() -> None:
    text = (DOCS / "methods.md").read_text(encoding="utf-8")
    sections = re.split(r"(?m)^## ", text)[1:]
    for name in ENTRIES:
        own = [part for part in sections if f"`{name}`" in part.split("\n* ", 1)[0]]
        assert len(own) == 1, name
        for word in ("**Estimand", "**Inference.**", "**Source.**"):
            assert word in own[0], (name, word)
        assert re.search(r"\*\*(Estimator|Estimand and estimator)\.\*\*", own[0]), name


def test_the_table_of_sources_has_every_file(hooks: ModuleType) -> None:
    text = hooks.on_page_markdown((DOCS / "data.md").read_text(encoding="utf-8"), page=None)
    assert "<!-- sources -->" not in text
    for source in load_manifest(ROOT):
        rows = [line for line in text.splitlines() if f"`{source.id}`" in line]
        assert len(rows) == 1
        assert " ".join(source.citation.split()) in rows[0]
        assert rows[0].count("|") == 5


def test_contributing_is_a_page(hooks: ModuleType) -> None:
    text = hooks.on_page_markdown((DOCS / "contributing.md").read_text(encoding="utf-8"), page=None)
    assert "## Files to touch" in text
    assert not [link for link in LINK.findall(text) if not (DOCS / link).is_file()]


def test_options_of_the_pages_exist() -> None:
    """Keys of a specification and estimators that the tables of equivalents name."""
    schema = json.loads((ROOT / "replication" / "core" / "spec_schema.json").read_text(encoding="utf-8"))
    text = json.dumps(schema)
    rows = [line for line in (DOCS / "other_software.md").read_text().splitlines() if line.startswith("| ")][
        2:
    ]
    assert len(rows) > 20
    for row in rows:
        cell = re.split(r"(?<!\\)\|", row)[3]
        for name in re.findall(r"`(\w+)(?=[:`])", cell):
            assert name in ENTRIES or f'"{name}"' in text, name
