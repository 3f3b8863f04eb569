"""Traces are written again where something changed that they are made from, and kept elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from replication.report.study_config import Entry
from replication.report.trace.traced_entry import Traced
from replication.report.trace.traces import StudyTraces
from replication.workflow.page_step import study_site
from replication.workflow.project import read_study
from replication.workflow.report_step import render_site
from replication.workflow.trace_step import traces

ALL = {"effects", "others", "path"}


def _replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        """Edit one file of the project."""
        path = root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def _append(name: str, text: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        """Add to one file of the project, which may be new."""
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(text)

    return change


def _remove(name: str) -> Callable[[Path], None]:
    return lambda root: (root / name).unlink()


RESULTS = "tables/first/specs"
CHANGES = {
    "nothing": (lambda root: None, set()),
    "an estimate": (
        _replace(f"{RESULTS}/first_grid__unit_linear__population/estimates.csv", "0.", "0.0"),
        {"others"},
    ),
    "an estimate in a table and a figure": (
        _replace(f"{RESULTS}/first_events/estimates.csv", "0.", "0.0"),
        {"effects", "path"},
    ),
    "a record": (
        _append(f"{RESULTS}/first_grid__none__none/spec.yaml", "# edited\n"),
        {"effects"},
    ),
    "independent software": (
        _replace("tables/first/second_engine.csv", "first_grid__unit_linear__population,", "absent,"),
        {"others"},
    ),
    "a committed table": (
        _append("studies/first/expected/tables/others.csv", "estimate\n1\n2\n"),
        {"others"},
    ),
    "committed estimates": (
        _append(
            "studies/first/expected/tables/estimates.csv", "spec_id,term,cohort,time,event_time,estimate\n"
        ),
        ALL,
    ),
    "a description": (
        _replace("studies/first/tables.yaml", "title: Other effects", "title: More effects"),
        {"others"},
    ),
    "the title of the study": (_replace("studies/first/study.yaml", "The first study", "A study"), ALL),
    "an analysis": (_replace("studies/first/analyses.yaml", "draws: 4", "draws: 5"), ALL),
    "cleaned data": (_append("data_clean/first/.clean.json", "\n"), ALL),
    "raw data": (_append("studies/first/panel.csv", "\n"), ALL),
    "a second specification in a file": (
        _append("studies/first/specs/events.yaml", "vary:\n  cluster: [null, province]\n"),
        {"effects", "path"},
    ),
    "a trace": (_append("report/first/traces/path.js", "\n"), {"path"}),
    "a trace that is gone": (_remove("report/first/traces/effects.js"), {"effects"}),
    "a trace that cannot be read": (
        lambda root: (root / "report/first/traces/path.js").write_text('DATA["x"]="eJw=";\n'),
        {"path"},
    ),
    "the notes of earlier runs": (_remove("report/first/.traces.json.kept"), ALL),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_traces_are_made_again_where_their_inputs_changed(
    project: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    change, expected = CHANGES[kind]
    change(project)
    made = []
    real = StudyTraces.traced

    def counted(self: StudyTraces, entry: Entry) -> Traced:
        made.append(entry.id)
        return real(self, entry)

    monkeypatch.setattr(StudyTraces, "traced", counted)
    study = read_study(project / "studies/first", project)
    traces(study, project)
    assert set(made) == expected
    kept = {path.name: path.read_bytes() for path in (project / "report/first/traces").iterdir()}
    (project / "report/first/.traces.json.kept").unlink()
    traces(study, project)
    anew = {path.name: path.read_bytes() for path in (project / "report/first/traces").iterdir()}
    assert kept == anew, "what is kept is what would be made"


def test_a_table_that_is_refused_has_no_traces_and_the_others_have_theirs(project: Path) -> None:
    place = project / "studies/first/tables.yaml"
    text = place.read_text(encoding="utf-8")
    assert "first_grid__none__none" in text
    place.write_text(text.replace("first_grid__none__none", "absent"), encoding="utf-8")
    assert traces(read_study(project / "studies/first", project), project) == (0, 2)
    names = {path.stem for path in (project / "report/first/traces").iterdir()}
    assert names == ALL - {"effects"}, "the table itself is refused by the step that makes it"


def test_the_data_of_the_explorer_are_those_of_the_whole_report(project: Path) -> None:
    made = project / "report/first/data/explorer.js"
    before = made.read_bytes()
    made.unlink()
    study = read_study(project / "studies/first", project)
    traces(study, project)
    assert made.read_bytes() == before == render_site(project)["first/data/explorer.js"]
    assert study_site(study, project)["first/data/explorer.js"] == before
