"""Cells of published values beside which an analysis, not a specification, has the estimate."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd

from replication.report.folders import Folders
from replication.report.table_document import TableRow
from replication.report.trace.published_cells import published


def test_an_estimate_of_an_analysis_leads_to_its_line(tmp_path: Path) -> None:
    rows = pd.DataFrame({"label": ["own", "all"], "estimate": [0.5, -0.25], "std_error": [0.1, 0.2]})
    (tmp_path / "tables" / "one" / "analyses").mkdir(parents=True)
    rows.to_csv(tmp_path / "tables" / "one" / "analyses" / "sums.csv", index=False)
    ours = {"source": "analyses/sums.csv", "where": {"label": ["all"]}}
    entry: Any = SimpleNamespace(options={"rows": [{"label": "A paper", "ours": ours}]})
    cells = {"spec_id": "", "published": "", "published_std_error": "", "secondary": False, "note": ""}
    data = pd.DataFrame([{**cells, "estimate": -0.25, "std_error": 0.2}])
    document: Any = SimpleNamespace(data=data, rows=[TableRow("A paper", (("",), ("-0.250", "(0.200)")))])
    context: Any = SimpleNamespace(folders=Folders.under(tmp_path, "one"))
    shown = published(entry, document, context)[0][1]
    assert (shown.value, shown.std_error, shown.line, shown.origin) == (-0.25, 0.2, 3, "analysis")
