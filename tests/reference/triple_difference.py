"""Writes triple_difference.csv beside it with moderndid 0.4.1, which needs Python 3.12."""

from __future__ import annotations

import csv
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
KEYS = ["term", "cohort", "time", "event_time"]
METHODS = {"none": "dr", "doubly_robust": "dr", "outcome_regression": "reg", "ipw": "ipw"}
CONTROLS = {"never_treated": "nevertreated", "not_yet_treated": "notyettreated"}


def main() -> None:
    """One line an estimate of every panel and choice."""
    import moderndid
    import polars
    from eligible_panels import eligible_panel

    warnings.simplefilter("ignore")
    with (HERE / "triple_difference.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["seed", "adjustment", "control_group", *KEYS, "estimate", "std_error"])
        for seed in range(20):
            frame = polars.DataFrame(eligible_panel(seed))
            for adjustment, method in list(METHODS.items())[: 4 if seed < 5 else 2]:
                for control, name in CONTROLS.items():
                    formula = None if adjustment == "none" else "~ x1 + x2"
                    fit = moderndid.ddd(
                        frame,
                        yname="y",
                        tname="time",
                        idname="unit",
                        gname="cohort",
                        pname="eligible",
                        xformla=formula,
                        control_group=name,
                        est_method=method,
                    )
                    writer.writerows([seed, adjustment, control, *row] for row in rows(moderndid, fit))


def rows(moderndid: object, fit: object) -> list[list[object]]:
    """Cells, event path and overall effect."""
    found: list[list[object]] = [
        ["att_gt", group, time, "", att, error]
        for group, time, att, error in zip(fit.groups, fit.times, fit.att, fit.se, strict=True)
    ]
    events = moderndid.agg_ddd(fit, type="eventstudy", boot=False, cband=False)
    found += [
        ["event", "", "", e, att, error]
        for e, att, error in zip(events.egt, events.att_egt, events.se_egt, strict=True)
    ]
    for kind, term in (("simple", "att"), ("group", "group"), ("calendar", "calendar")):
        total = moderndid.agg_ddd(fit, type=kind, boot=False, cband=False)
        found.append([term, "", "", "", total.overall_att, total.overall_se])
    return [[f"{cell:.9g}" if isinstance(cell, float) else cell for cell in row] for row in found]


if __name__ == "__main__":
    main()
