"""Table and figure of a placebo simulation, through the report layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from replication.core.files import write_csv
from replication.display.formatting import SIMULATED
from replication.report.folders import Folders
from replication.report.study_config import parse_study
from replication.report.study_report import write_figures, write_tables
from replication.workflow.placebo_simulation import Order

MOST_LINES = 6


def write_report(order: Order, summary: pd.DataFrame) -> list[Path]:
    """Write the summary, its table and the curves of power into the order's folder."""
    simulated = bool(order.study.config.get("simulated"))
    mark = f"_{SIMULATED}" if simulated else ""
    # Where every interval contains zero, or none does, the usual standard error of a share is zero.
    certain = summary["coverage"].isin([0, 1])
    summary = summary.assign(coverage_error=summary["coverage_error"].mask(certain))
    write_csv(order.out / f"summary{mark}.csv", summary)
    study = parse_study(_description(order, summary, mark), "the placebo simulation")
    folders = Folders(order.out, order.out, order.out, order.out)
    written = [*write_tables(study, folders), *write_figures(study, folders)]
    return [order.out / f"summary{mark}.csv", *written]


def _description(order: Order, summary: pd.DataFrame, mark: str) -> dict[str, Any]:
    source = f"tables/summary{mark}.csv"
    config = order.study.config
    notes = [
        f"Each of the {order.draws} placebo rollouts (seed {order.placebo.seed}) assigns the adoption dates "
        f"of one {order.placebo.blocks} to another, in random order across its units; outcomes are "
        "unchanged, so the true effect is zero."
    ]
    return {
        "id": f"{order.study.id}_placebo",
        "title": f"{config['title']}: placebo rollouts",
        "simulated": bool(mark),
        "panels": config["panels"],
        "labels": config.get("labels", {}),
        "tables": [_table(source, mark, notes, float(summary["effect"].iloc[0]))],
        "figures": [_figure(source, mark, notes, list(order.labels.values()))],
    }


def _table(source: str, mark: str, notes: list[str], first: float) -> dict[str, Any]:
    def number(name: str, label: str, digits: int) -> dict[str, Any]:
        """A column of numbers."""
        return {"name": name, "label": label, "format": "number", "digits": digits}

    def percent(name: str, label: str) -> dict[str, Any]:
        """A column of percentages."""
        return {"name": name, "label": label, "format": "percent", "digits": 1}

    return {
        "id": f"coverage{mark}",
        "title": "Coverage and Minimum Detectable Effects",
        "kind": "frame",
        "source": source,
        "where": {"effect": [first]},
        "group": "label",
        "columns": [
            {"name": "clustered_by", "label": "Clustered by"},
            {"name": "draws", "label": "Draws", "format": "integer"},
            {"name": "not_estimated", "label": "Not estimated", "format": "integer"},
            number("mean_estimate", "Mean estimate", 4),
            number("sd_estimate", "SD of estimates", 4),
            number("mean_std_error", "Mean std. error", 4),
            percent("coverage", "Coverage, %"),
            percent("coverage_error", "Simulation s.e. of coverage"),
            number("detectable", "MDE", 3),
            number("detectable_by_error", "MDE implied by reported std. errors", 3),
        ],
        "notes": [
            *notes,
            "Coverage is the share of confidence intervals that contain zero. The minimum detectable effect "
            "(MDE) is the smallest effect that the test rejects in 80% of draws; the last column gives the "
            "MDE implied by the mean reported standard error.",
        ],
    }


def _figure(source: str, mark: str, notes: list[str], labels: list[str]) -> dict[str, Any]:
    return {
        "id": f"power{mark}",
        "title": "Power by size of the effect",
        "kind": "line",
        "source": source,
        "x": "effect",
        "y": "power",
        "group": "label",
        "panel": "clustered_by",
        "highlight": labels[:MOST_LINES],
        "x_label": "Size of the effect",
        "y_label": "Share of draws that detect it",
        "notes": [*notes, "Panels: what standard errors are clustered by."],
    }
