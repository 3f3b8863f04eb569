"""What a run says at its end: the files it made, and studies with few clusters or few treated ones."""

from __future__ import annotations

from pathlib import Path

from small_project import make_project, run

from replication.core.details import ClusterInfluence, ClusterSupport
from replication.core.spec import ANALYTIC
from replication.inference.cautions import cluster_notes, support_notes
from replication.inference.leverage import few_effective
from replication.workflow.few_clusters import CAUTIONS, few_cluster_lines
from replication.workflow.project import study
from replication.workflow.run_targets import MOST_LISTED, Target, closing_of, listed_files

FEW = "cluster: province\nsample: {drop: {province: [Province 00, Province 01]}}\n"
"""Eight clusters."""


def test_a_study_with_few_clusters_has_one_line_that_points_to_the_table(tmp_path: Path) -> None:
    root = make_project(tmp_path / "project")
    spec = root / "studies" / "first" / "specs" / "grid.yaml"
    spec.write_text(spec.read_text(encoding="utf-8") + FEW, encoding="utf-8")
    done = run(root, ("run", "--cores", "2"))
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if "few effective or treated clusters" in line]
    (line,) = few_cluster_lines(root, [study(root, "first"), study(root, "second")])
    assert lines == [line]
    assert line.startswith("first: few effective or treated clusters in 4 specifications; see the notes of")
    assert "tables/first/effects.html and 1 more table." in line
    note = (root / "tables" / "first" / "effects.md").read_text(encoding="utf-8")
    assert "only 8" in note
    again = run(root, ("run", "--cores", "1", "--only", "tables/first/effects"))
    assert line in again.stdout
    assert "tables/first/effects.html (also .csv, .docx, .md, .tex)" in again.stdout


def test_every_note_on_few_clusters_is_found() -> None:
    """The closing line looks for the notes of ``inference.cautions`` and ``inference.leverage``."""
    influence = ClusterInfluence("state", 40, 4.0, 0.3, "7")
    notes = [
        *support_notes(ClusterSupport(6, 6, 0, "state"), 6, by_cohort=False),
        *support_notes(ClusterSupport(1, 3, 0, "state"), 20, by_cohort=False),
        *support_notes(ClusterSupport(4, 1, 0, "state"), 20, by_cohort=False),
        *cluster_notes(6, None),
        *cluster_notes(50, 6.5),
        *few_effective(influence, ANALYTIC, corrects=True),
    ]
    assert len(notes) == 8
    assert all(any(one.search(note.encode()) for one in CAUTIONS) for note in notes)


def test_results_are_listed_by_the_file_to_open() -> None:
    paths = [
        f"tables/s/t{number}.{ending}" for number in range(MOST_LISTED + 3) for ending in ("tex", "html")
    ]
    lines = listed_files([*paths, "data_clean/s/", "report/s/summary.md"])
    assert lines[0] == "  tables/s/t0.html (also .tex)"
    assert lines[MOST_LISTED] == "  and 3 more in tables/s/"
    assert lines[MOST_LISTED + 1 :] == ["  data_clean/s/", "  report/s/summary.md"]


def test_pages_are_offered_where_there_is_a_table_or_figure() -> None:
    assert "replication report" in closing_of([Target("s", (), ("figures/s/a.png",))], 1, 2.0)
    assert "replication report" not in closing_of([Target("s", (), ("data_clean/s/",))], 0, 2.0)
