"""Every printed cell is the estimate that lies on disk."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from replication.core.errors import SpecError
from replication.display.formatting import fixed
from replication.report.folders import Folders
from replication.report.report_context import Context
from replication.report.study_config import StudyConfig, parse_study
from replication.report.study_report import write_tables
from replication.report.table_document import TableDocument
from replication.report.tables import build


def table(study: StudyConfig, folders: Folders, name: str, *, stars: bool = False) -> TableDocument:
    entry = next(entry for entry in study.tables if entry.id == name)
    return build(entry, Context.of(study, folders, stars=stars))


def cells(document: TableDocument, label: str, place: int = 0) -> list[tuple[str, ...]]:
    return list([row for row in document.rows if row.label == label][place].cells)


def on_disk(folders: Folders, spec_id: str, term: str = "att") -> pd.Series[Any]:
    frame = pd.read_csv(folders.tables / "specs" / spec_id / "estimates.csv")
    return frame[frame["term"] == term].iloc[0]


def test_regression_cells_equal_the_estimates(study: StudyConfig, folders: Folders) -> None:
    document = table(study, folders, "main")
    for label, term in (("Program active", "att"), ("Police, log", "coef:l_police")):
        specs = ["plain", "plain_trends", "weighted", "weighted_trends"]
        for cell, spec in zip(cells(document, label), specs, strict=True):
            row = on_disk(folders, spec, term)
            assert cell == (fixed(row["estimate"]), f"({fixed(row['std_error'])})")
    rows = document.data.set_index(["row", "spec_id"])
    exact = rows.loc[("Police, log", "weighted"), ["estimate", "std_error", "p_value"]].tolist()
    expected = on_disk(folders, "weighted", "coef:l_police")
    assert exact == [expected["estimate"], expected["std_error"], expected["p_value"]]
    assert len(document.data) == 8


def test_regression_statistics_and_heads(study: StudyConfig, folders: Folders) -> None:
    document = table(study, folders, "main")
    assert [head.text for head in document.headings[0]] == ["Unweighted", "Weighted"]
    assert [head.span for head in document.headings[0]] == [2, 2]
    assert [head.text for head in document.headings[1]] == [
        "Index crimes, log rate",
        "Trends",
        "R&D 100% under_score #1",
        "Property crime rate",
    ]
    assert cells(document, "Counties") == [("60",)] * 4
    assert cells(document, "Clusters") == [("12",)] * 4
    assert cells(document, "County linear trends") == [("No",), ("Yes",), ("No",), ("Yes",)]
    assert cells(document, "County fixed effects") == [("Yes",)] * 4
    assert cells(document, "Weights")[1:3] == [("none",), ("Population in 2004",)]
    notes = " ".join(document.notes)
    assert "clustered at the state level" in notes
    assert "agree with linearmodels or statsmodels to" in notes
    assert "not checked: columns 3 and 4." in notes
    assert "Columns 2 and 4: 3 counties with a missing outcome in at least one year were dropped." in notes
    assert document.specs == (
        ("(1)", "plain"),
        ("(2)", "plain_trends"),
        ("(3)", "weighted"),
        ("(4)", "weighted_trends"),
    )
    assert "numpy" in document.versions
    assert document.versions.startswith("replication ")


def test_controls_are_counted_and_named(description: dict[str, Any], folders: Folders) -> None:
    entry = description["tables"][0]
    entry["columns"] = ["plain", "controlled"]
    entry["rows"] = [{"row": "att", "label": "Program active"}]
    document = table(parse_study(description), folders, "main")
    assert cells(document, "Controls") == [("No",), ("Yes (2)",)]
    labels = [row.label for row in document.rows]
    assert labels.index("Controls") == labels.index("County fixed effects") - 1
    assert "Controls in column 2: l_police, poverty." in " ".join(document.notes)
    assert document.data["controls"].tolist() == ["", "l_police; poverty"]
    entry["statistics"] = ["n_obs"]
    chosen = table(parse_study(description), folders, "main")
    assert cells(chosen, "Controls") == [("No",), ("Yes (2)",)]


def test_covariates_that_are_rows_are_not_controls(description: dict[str, Any], folders: Folders) -> None:
    entry = description["tables"][0]
    entry["columns"] = ["controlled"]
    document = table(parse_study(description), folders, "main")
    assert cells(document, "Controls") == [("Yes (1)",)]
    assert "Controls: poverty." in " ".join(document.notes)
    entry["columns"] = ["plain", "weighted"]
    without = table(parse_study(description), folders, "main")
    assert "Controls" not in [row.label for row in without.rows]


def test_panels_share_their_common_statistics(study: StudyConfig, folders: Folders) -> None:
    document = table(study, folders, "by_panel")
    assert [section.heading for section in document.sections] == [
        "Panel A. Unweighted",
        "Panel B. Weighted",
        "",
    ]
    assert cells(document, "Estimate", 1)[1] == ("",)
    assert [row.label for row in document.sections[-1].rows] == [
        "Observations",
        "Clusters",
        "County fixed effects",
        "Year fixed effects",
        "County linear trends",
    ]
    assert document.specs[2] == ("Panel B. Weighted: (1)", "weighted")


def test_stars_only_on_request(study: StudyConfig, folders: Folders) -> None:
    plain, starred = (table(study, folders, "main", stars=stars) for stars in (False, True))
    assert not any("*" in line for row in plain.rows for cell in row.cells for line in cell)
    p_values = plain.data["p_value"]
    marked = sum("*" in cell[0] for row in starred.rows for cell in row.cells)
    assert marked == int((p_values < 0.1).sum()) > 0
    assert any("p < 0.05" in note for note in starred.notes)


def test_published_values_keep_their_digits(study: StudyConfig, folders: Folders) -> None:
    document = table(study, folders, "published")
    ours = on_disk(folders, "plain")
    published, here, difference, std_error_difference, *equal = cells(document, "One")
    assert published == ("0.100", "(0.0342)")
    assert here == (fixed(ours["estimate"]), f"({fixed(ours['std_error'], 4)})")
    assert difference == (fixed(ours["estimate"] - 0.1, 4),)
    assert std_error_difference == (fixed(ours["std_error"] - 0.0342, 5),)
    assert equal == [("no",), ("no",)]
    assert document.data["printed_digits"].tolist()[:3] == [3, 4, 2]
    heads = [head.text for head in document.headings[0]]
    assert heads[2:4] == ["Difference in coefficients", "Difference in standard errors"]
    assert cells(document, "In words")[0] == ("no meaningful reduction",)
    assert cells(document, "From a draft \N{DAGGER}")[0] == ("\N{MINUS SIGN}0.04",)
    assert document.notes[0].endswith("\N{DAGGER} From a secondary source.")
    assert list(document.data["secondary"]) == [False, False, True, False]


def test_equality_is_to_the_printed_digits(description: dict[str, Any], folders: Folders) -> None:
    ours, std_error = on_disk(folders, "plain")[["estimate", "std_error"]]
    description["tables"][2]["rows"] = [
        {"label": "Same", "spec": "plain", "estimate": f"{ours:.4f}"},
        {"label": "Other", "spec": "plain", "estimate": f"{ours + 0.0001:.4f}"},
        {
            "label": "Other error",
            "spec": "plain",
            "estimate": f"{ours:.4f}",
            "std_error": f"{std_error + 0.0001:.4f}",
        },
    ]
    document = table(parse_study(description), folders, "published")
    verdicts = {row.label: row.cells[4:] for row in document.rows}
    assert verdicts == {
        "Same": (("yes",), ("",)),
        "Other": (("no",), ("",)),
        "Other error": (("yes",), ("no",)),
    }
    assert "2 of 3 coefficients and 0 of 1 standard errors match the published values" in " ".join(
        document.notes
    )
    assert document.data["std_error_equal"].tolist() == [None, None, False]


def test_a_second_column_of_standard_errors(description: dict[str, Any], folders: Folders) -> None:
    row = {"label": "Wide", "spec": "plain", "where": {"specification": ["one"]}}
    description["tables"][2]["rows"] = [{**row, "std_error_column": "estimate"}]
    document = table(parse_study(description), folders, "published")
    assert cells(document, "Wide")[0] == ("0.100", "(0.100)")
    description["tables"][2]["rows"] = [{**row, "std_error_column": "neyman"}]
    with pytest.raises(SpecError, match="neyman"):
        table(parse_study(description), folders, "published")


def test_words_alone_need_no_difference(description: dict[str, Any], folders: Folders) -> None:
    row = {"label": "Words", "spec": "plain", "reported": "no foreign-born effect"}
    description["tables"][2]["rows"] = [row]
    document = table(parse_study(description), folders, "published")
    ours = on_disk(folders, "plain")
    assert cells(document, "Words") == [
        ("no foreign-born effect",),
        (fixed(ours["estimate"]), f"({fixed(ours['std_error'])})"),
    ]
    assert len(document.headings[0]) == 2
    assert not any("as printed" in note for note in document.notes)


def test_frames_are_formatted(study: StudyConfig, folders: Folders) -> None:
    document = table(study, folders, "sample_flow")
    assert cells(document, "Coverage < 80%") == [
        ("3,100",),
        ("2,049",),
        ("66.1",),
        ("\N{MINUS SIGN}0.31\N{DAGGER}",),
    ]
    assert document.data["share"].tolist() == [0.98632, 0.661]
    assert document.stub == "Rule"
    assert document.notes[-1].endswith(" Source: data_clean/made/sample_flow.csv.")


def test_estimators_stand_side_by_side(study: StudyConfig, folders: Folders) -> None:
    document = table(study, folders, "estimators")
    row = on_disk(folders, "events_cs")
    found = cells(document, "Callaway-Sant'Anna")
    assert found[0] == (fixed(row["estimate"]),)
    assert found[2] == (f"[{fixed(row['conf_low'])}, {fixed(row['conf_high'])}]",)
    heads = [head.text for head in document.headings[0]]
    assert "95% CI" in heads
    assert not any("band" in head for head in heads), "the band of one number is its interval"
    notes = " ".join(document.notes)
    assert "Control group in Robust to heterogeneity: not-yet-treated counties." in notes
    assert "Base period: event time \N{MINUS SIGN}1." in notes
    assert "Weighted by Population in 2004 in Weighted two-way." in notes


def test_truth_stands_beside_simulated_estimates(description: dict[str, Any], folders: Folders) -> None:
    description |= {"simulated": True, "truth": -0.04}
    for entry in [*description["tables"], *description["figures"]]:
        entry["id"] += "_SIMULATED"
    study = parse_study(description)
    regression = table(study, folders, "main_SIMULATED")
    assert cells(regression, "True effect") == [("\N{MINUS SIGN}0.040",)] * 4
    assert regression.title.startswith("SIMULATED: ")
    estimators = table(study, folders, "estimators_SIMULATED")
    assert estimators.headings[0][1].text == "True effect"
    assert cells(estimators, "Weighted two-way")[1] == ("\N{MINUS SIGN}0.040",)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            (0, "columns"),
            ["plaim"],
            r"made, table 'main': 'plaim' has not been estimated yet .*did you mean 'plai",
        ),
        ((0, "rows"), [{"row": "coef:police", "label": "x"}], "has no row 'coef:police' .did you"),
        ((0, "columns"), [{"label": "x"}], "table 'main': column 1 names no specification"),
        ((1, "panels", 0, "specs"), ["plain"], "names 1 specification for 2 columns"),
        ((2, "rows", 0, "where"), {"outcome": ["a"]}, "2 rows of raw/typed/published.csv match"),
        ((3, "source"), "clean/none.csv", "clean/none.csv was not found"),
        ((3, "columns", 2, "name"), "shares", "has no column 'shares' .did you mean 'share'"),
        ((3, "columns", 0, "format"), "integer", "'rule' must be printed as integer but contains"),
        ((3, "where"), {"rule": ["none"]}, "has no rows that fit"),
    ],
)
def test_slips_are_refused_with_the_table_and_a_hint(
    description: dict[str, Any], folders: Folders, path: tuple[Any, ...], value: Any, message: str
) -> None:
    target: Any = description["tables"]
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    with pytest.raises(SpecError, match=message):
        write_tables(parse_study(description), folders, only=[description["tables"][path[0]]["id"]])


def test_a_study_without_tables_writes_none(description: dict[str, Any], folders: Folders) -> None:
    description["tables"] = []
    assert write_tables(parse_study(description), folders) == []
