"""A study's folder: read from its files in order, and refused with the file that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from replication.analyses.kind_options import analysis_options, kind_files
from replication.core.errors import SpecError
from replication.core.study_folder import description_files, read_description, study_folders
from replication.report.entry_kinds import entry_schema, known_kinds, result_kinds, study_schema
from replication.report.study_config import load_study
from replication.workflow import project
from replication.workflow.run_snakemake import run

ROOT = Path(__file__).parents[2]
STUDY = {"id": "made", "title": "Made", "panels": ["p"]}


def frame_table(name: str, **more: object) -> dict[str, object]:
    return {
        "id": name,
        "title": "T",
        "kind": "frame",
        "source": "clean/a.csv",
        "columns": [{"name": "a"}],
        **more,
    }


def line_figure(name: str, **more: object) -> dict[str, object]:
    return {"id": name, "title": "F", "kind": "line", "source": "clean/a.csv", "x": "a", "y": "b", **more}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study without any table or figure."""
    place = tmp_path / "studies" / "made"
    place.mkdir(parents=True)
    write(place, "study.yaml", STUDY)
    return place


def write(folder: Path, name: str, data: object) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    text = data if isinstance(data, str) else yaml.safe_dump(data, sort_keys=False)
    (folder / name).write_text(text, encoding="utf-8")


def test_lists_of_several_files_stand_in_the_order_of_their_names(folder: Path) -> None:
    write(folder, "tables/2_more.yaml", [frame_table("c")])
    write(folder, "tables/1_main.yaml", [frame_table("b"), frame_table("a")])
    write(folder, "figures.yaml", [line_figure("f")])
    found = read_description(folder)
    assert [entry["id"] for entry in found.data["tables"]] == ["b", "a", "c"]
    assert found.place("tables", 2) == "studies/made/tables/2_more.yaml"
    assert found.place("figures", 0) == "studies/made/figures.yaml"
    assert found.place() == "studies/made/study.yaml"
    assert [path.name for path in description_files(folder)] == [
        "study.yaml",
        "1_main.yaml",
        "2_more.yaml",
        "figures.yaml",
    ]
    assert [table.id for table in load_study(folder).tables] == ["b", "a", "c"]
    planned = project.study(folder.parents[1], "made")
    assert planned.tables == ["b", "a", "c"]
    assert planned.description[-1] == "studies/made/figures.yaml"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"tables/1.yaml": [frame_table("a")], "tables/2.yaml": [frame_table("a")]},
            r"id 'a' is used in studies/made/tables/1\.yaml and in studies/made/tables/2\.yaml",
        ),
        (
            {"tables.yaml": [frame_table("a")], "figures.yaml": [line_figure("a")]},
            r"id 'a' is used in studies/made/tables\.yaml and in studies/made/figures\.yaml",
        ),
        (
            {"tables.yaml": [frame_table("a"), frame_table("a")]},
            r"'a' is used twice in studies/made/tables\.yaml",
        ),
        (
            {"analyses/1.yaml": [{"id": "d", "kind": "decomposition", "spec": "s"}] * 2},
            r"'d' is used twice in studies/made/analyses/1\.yaml",
        ),
        (
            {"tables.yaml": [frame_table("a")], "tables/1.yaml": [frame_table("b")]},
            r"studies/made/tables\.yaml and the folder studies/made/tables both list the tables",
        ),
        ({"study.yaml": {**STUDY, "tables": []}}, "has the key 'tables'.*move the list to tables.yaml"),
        ({"study.yaml": ""}, r"studies/made/study\.yaml contains no keys"),
        ({"study.yaml": {**STUDY, "id": "other"}}, "the id 'other', but its folder is named 'made'"),
        ({"study.yaml": {**STUDY, "titel": "x"}}, r"study\.yaml: unknown key 'titel' .did you mean 'title'"),
        (
            {"table.yaml": []},
            r"studies/made/table\.yaml is not a file of a study \(did you mean 'tables'\?\)",
        ),
        ({"tables/1.yaml": "- id: [1"}, r"studies/made/tables/1\.yaml is not valid YAML: .*line 1"),
        ({"tables/1.yaml": {"tables": []}}, r"studies/made/tables/1\.yaml contains no list of entries"),
        ({"tables/1.yaml": ["a"]}, r"studies/made/tables/1\.yaml contains no list of entries"),
        (
            {"tables/1.yaml": [frame_table("a")], "tables/2.yaml": [frame_table("b", digit=2)]},
            r"studies/made/tables/2\.yaml, table 'b': unknown key 'digit'",
        ),
        (
            {"figures.yaml": [line_figure("a", kind="lines")]},
            r"studies/made/figures\.yaml, figure 'a': 'kind' is 'lines' \(did you mean 'line'\?\)",
        ),
        (
            {"figures.yaml": [line_figure("a", highlihgt=["x"])]},
            r"figure 'a': unknown key 'highlihgt' \(did you mean 'highlight'\?\)",
        ),
        (
            {"analyses.yaml": [{"id": "d", "kind": "decompositon", "spec": "s"}]},
            r"analyses\.yaml, analysis 'd': 'kind' is 'decompositon' \(did you mean 'decomposition'\?\)",
        ),
        (
            {"analyses.yaml": [{"id": "d", "kind": "decomposition", "spec": ["s"]}]},
            r"analysis 'd': 'spec' .* must be text; got \['s'\]",
        ),
        (
            {"analyses.yaml": [{"id": "l", "kind": "leave_out", "spec": "s", "by": "g", "headng": "x"}]},
            r"analysis 'l': unknown key 'headng' \(did you mean 'heading'\?\).*the required key 'heading'",
        ),
        (
            {"analyses.yaml": [{"kind": "decomposition"}]},
            r"analysis number 1: the required key 'id' is missing",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_its_file(folder: Path, files: dict[str, object], message: str) -> None:
    for name, data in files.items():
        write(folder, name, data)
    with pytest.raises(SpecError, match=message) as refused:
        project.study(folder.parents[1], "made")
    assert "\n" not in str(refused.value)


def test_a_study_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="There is no study description"):
        read_description(tmp_path)


def test_misspelled_options_are_refused_before_anything_runs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder.parents[1] / "data_raw").mkdir()
    write(folder.parents[1] / "data_raw", "sources.yaml", "groups: []\n")
    write(folder.parents[1], "config.yaml", (ROOT / "config.yaml").read_text(encoding="utf-8"))
    write(folder, "study.yaml", {**STUDY, "sources": []})
    assert [study.id for study in project.runnable(folder.parents[1])] == ["made"]
    write(folder, "figures.yaml", [line_figure("a", same_scael=True)])
    assert run(folder.parents[1], "1") == 2
    assert "unknown key 'same_scael' (did you mean 'same_scale'?)" in capsys.readouterr().out


def test_folders_that_begin_with_an_underscore_are_no_studies(folder: Path) -> None:
    for name in ("_template", ".hidden"):
        (folder.parent / name).mkdir()
        write(folder.parent / name, "study.yaml", "id: [")
    assert study_folders(folder.parents[1]) == [folder]
    assert [study.id for study in project.studies(folder.parents[1])] == ["made"]
    with pytest.raises(SpecError, match=r"no study '_template'\. Studies: made"):
        project.study(folder.parents[1], "_template")


@pytest.mark.parametrize("folder", study_folders(ROOT), ids=lambda folder: folder.name)
def test_the_shipped_studies_say_what_the_schemas_know(folder: Path) -> None:
    assert load_study(folder).id == folder.name


# Options stand beside the code of each kind.


@pytest.mark.parametrize("path", kind_files().values(), ids=lambda path: path.stem)
def test_every_option_of_an_analysis_has_a_meaning_and_a_type(path: Path) -> None:
    properties = analysis_options(path)["properties"]
    assert properties
    for name, option in properties.items():
        assert option.get("description"), f"{path.name}: {name} is not in the docstring's Parameters"
        assert set(option) - {"description"}, f"{path.name}: {name} has no type"


@pytest.mark.parametrize("part", ["tables", "figures"])
def test_every_option_of_a_table_and_figure_has_a_meaning(part: str) -> None:
    shared = study_schema()["$defs"]
    assert len(known_kinds(part)) == len(result_kinds(part)) >= 4
    for kind in known_kinds(part):
        for name, option in entry_schema(part, kind)["properties"].items():
            used = shared[option["$ref"].removeprefix("#/$defs/")] if "$ref" in option else option
            assert used.get("description") or name == "kind", f"{kind}: {name}"


def test_options_follow_from_the_signature(tmp_path: Path) -> None:
    (tmp_path / "analyses").mkdir()
    (tmp_path / "analyses" / "own_kind.py").write_text(
        '"""Own."""\n\n\n'
        "def own_kind(context, *, spec: str, years: list[int], named: Mapping[str, float | None] = {},\n"
        '             way: Literal["a", "b"] = "a", other: Anything = None):\n'
        '    """Own.\n\n    Parameters\n    ----------\n    spec : specification that\n        is used.\n'
        '    years, way : what is shown.\n\n    Returns\n    -------\n    DataFrame\n    """\n',
        encoding="utf-8",
    )
    options = analysis_options(kind_files(tmp_path)["own_kind"])
    assert options["required"] == ["spec", "years"]
    assert options["properties"] == {
        "spec": {"type": "string", "description": "specification that is used."},
        "years": {"type": "array", "items": {"type": "integer"}, "description": "what is shown."},
        "named": {
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        },
        "way": {"enum": ["a", "b"], "description": "what is shown."},
        "other": {},
    }
    assert "own_kind" in known_kinds("analyses", tmp_path)
