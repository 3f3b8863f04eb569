"""The files of a new study, after ``studies/_template``: text with the columns of the panel filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from replication.core.logarithm import logged_column
from replication.core.reading import in_blocks, in_yaml

SPEC_KEYS: Final = ("unit", "time", "cohort", "cohort_from", "time_format", "never", "duplicates")
NAMED: Final = ("unit", "cluster", "weights")
KNOWN: Final = (*SPEC_KEYS, *NAMED, "outcome", "estimator")
"""Keys with a place of their own in a specification; others are written below them."""
IGNORED: Final = ".snakemake/\ndata_clean/\ntables/\nfigures/\nreport/\nlogs/\nexports/\n__pycache__/\n"
README: Final = """# STUDY

`studies/STUDY/` describes the specifications, tables, and figures; every file there has comments. Run it:

```sh
replication run
```

The results are in `tables/STUDY/` and `figures/STUDY/`; `report/index.html` shows them on one page.
"""
STUDY: Final = """\
# Description of the study. A misspelled key is refused, with the nearest spelling, before anything runs.
#
#   specs/          specifications; `replication explain` lists every key
#   tables.yaml     tables     (kinds: regression, estimators, frame, ...)
#   figures.yaml    figures    (kinds: event_study, raw_means, specification_curve, ...)
#   analyses.yaml   analyses beyond single specifications (summary_statistics, leave_out, ...)
#   summary.md.j2   a written summary whose numbers come from the estimates (optional)

id: {name}
title: {title}
description: >-                 # question, data, and design; it appears above the tables on the page
  {described}

panels:
  panel:                        # specifications use this name
    file: {file}
{read}{keys}    labels:                     # labels of the columns in the codebook
      {unit}: {unit}
      {time}: {time}
      {column}: {column}
    units: {{{column}: as in the file}}

# Labels of columns in tables and figures, and the unit of the outcome.
labels: {labels}
outcomes:
  {outcome}: {{label: {outcome}, unit: {scale}}}
"""
SPEC: Final = """\
# Three estimators of one effect: `columns` lists chosen specifications, here {name}__twfe and so on.
# `vary: {{weights: [null, people]}}` beside it would take every combination.
id: {name}
study: {name}
panel: panel
outcome: {outcome}
estimator: callaway_santanna
{keys}{cluster}{weights}# sample: {{where: {{region: [South]}}}}    # which rows are used
# inference: {{method: wild}}             # with few clusters
columns:
  - {{id: twfe, label: Two-way fixed effects, estimator: twfe}}
  - {{id: group_time, label: Callaway-Sant'Anna, estimator: callaway_santanna}}
  - {{id: imputation, label: Borusyak-Jaravel-Spiess, estimator: imputation}}
"""
TABLES: Final = """# A list of tables in the order of the page.
- id: main
  title: {title}
  kind: estimators
  rows:
    - {{spec: {name}__twfe, label: Two-way fixed effects}}
    - {{spec: {name}__group_time, label: Callaway-Sant'Anna}}
    - {{spec: {name}__imputation, label: Borusyak-Jaravel-Spiess}}
"""
SUMMARY: Final = """- id: panel_summary
  title: The panel
  kind: frame
  source: analyses/panel.csv
  columns:
    - {name: label, label: Variable}
    - {name: mean, label: Mean, format: number, digits: 2}
    - {name: weighted_mean, label: Weighted mean, format: number, digits: 2}
    - {name: spread, label: Standard deviation, format: number, digits: 2}
    - {name: units, label: Units, format: integer}
"""
FIGURES: Final = """# A list of figures. An event-study panel draws one series per estimator.
- id: event_study
  title: {title}
  kind: event_study
  panels:
    - series:
        - {{spec: {name}__group_time, label: Callaway-Sant'Anna}}
        - {{spec: {name}__imputation, label: Borusyak-Jaravel-Spiess}}
"""
ANALYSES: Final = """# Each entry writes tables/{name}/analyses/<id>.csv, which tables and figures may show.
- id: panel
  kind: summary_statistics
  panel: panel
  unit: {unit}
  weights: {weights}
  blocks:
    Panel: {{{column}: {column}}}
"""


def study_files(name: str, file: str, keys: Mapping[str, Any], title: str) -> dict[str, str]:
    """Text of every file of a study, by its path in the study's folder.

    Parameters
    ----------
    name, title : id and heading of the study.
    file : name of the panel file in the folder.
    keys : keys of a specification, those of ``read`` with a dot.
    """
    filled = {"name": name, "title": in_yaml(title), "file": file, **of_description(keys)}
    files = {
        "study.yaml": STUDY.format(**filled),
        "specs/main.yaml": SPEC.format(**{**filled, **of_specification(keys)}),
        "tables.yaml": TABLES.format(**filled),
        "figures.yaml": FIGURES.format(**filled),
    }
    if weights := keys.get("weights"):
        files["tables.yaml"] += SUMMARY
        files["analyses.yaml"] = ANALYSES.format(**filled, weights=in_yaml(weights))
    return files


def of_description(keys: Mapping[str, Any]) -> dict[str, str]:
    """What the description of the study, its tables, figures and analyses take from the keys."""
    columns = {key: in_yaml(keys[key]) for key in ("outcome", "unit", "time")}
    unique = "duplicates" not in keys
    logged = logged_column(str(keys["outcome"]))
    subject = " ".join(str(keys["outcome"]).split())
    return {
        "described": f"The effect of adoption on {subject}, by three estimators.",
        "column": in_yaml(logged or keys["outcome"]),
        "scale": "log points" if logged else in_yaml(f"units of {subject}"),
        "keys": f"    keys: [{columns['unit']}, {columns['time']}]    # refused if two rows share these\n"
        * unique,
        "read": f"    read: {in_yaml(read)}\n" if (read := reading(keys)) else "",
        "labels": in_yaml(
            {str(keys[key]): str(keys[key]) for key in ("unit", "cluster", "weights") if key in keys}
        ),
        **columns,
    }


def of_specification(keys: Mapping[str, Any]) -> dict[str, str]:
    """The lines of a specification that depend on the keys."""
    spec_keys = "".join(f"{key}: {in_yaml(keys[key])}\n" for key in SPEC_KEYS if key in keys)
    read = reading(keys)
    spec_keys += f"read: {in_yaml(read)}\n" if read else ""
    others = {key: keys[key] for key in keys if key not in KNOWN and not key.startswith("read.")}
    spec_keys += "".join(f"{key}: {in_yaml(value)}\n" for key, value in in_blocks(others).items())
    cluster, weights = keys.get("cluster"), keys.get("weights")
    return {
        "keys": spec_keys,
        "cluster": f"cluster: {in_yaml(cluster)}\n"
        if cluster
        else "# cluster: COLUMN    # the unit if empty\n",
        "weights": f"weights: {in_yaml(weights)}\n"
        if weights
        else "# weights: COLUMN    # unweighted if empty\n",
    }


def reading(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Options of ``read``, whose keys have a dot."""
    return {key.removeprefix("read."): value for key, value in keys.items() if key.startswith("read.")}
