"""Writes repeated_cross_sections.csv beside it with moderndid 0.4.1, which needs Python 3.12."""

from __future__ import annotations

import csv
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
METHODS = {"none": "dr", "doubly_robust": "dr", "outcome_regression": "reg", "ipw": "ipw"}
CONTROLS = {"never_treated": "nevertreated", "not_yet_treated": "notyettreated"}


def main() -> None:
    """One line a cell and overall effect of every sample and choice."""
    import moderndid
    import polars
    from sampled_people import sampled_people

    warnings.simplefilter("ignore")
    with (HERE / "repeated_cross_sections.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["seed", "adjustment", "control_group", "term", "cohort", "time", "estimate", "std_error"]
        )
        for seed in range(20):
            frame = polars.DataFrame(sampled_people(seed))
            for number, (adjustment, method) in enumerate(METHODS.items()):
                # The control group alternates, to keep the file small.
                control = list(CONTROLS)[(seed + number) % 2]
                fit = moderndid.att_gt(
                    frame,
                    yname="y",
                    tname="time",
                    gname="cohort",
                    xformla="~1" if adjustment == "none" else "~ x1 + x2",
                    est_method=method,
                    panel=False,
                    control_group=CONTROLS[control],
                    base_period="universal",
                )
                overall = moderndid.aggte(fit, type="simple", boot=False, cband=False)
                found = [
                    ["att_gt", group, time, point, error]
                    for group, time, point, error in zip(
                        fit.groups, fit.times, fit.att_gt, fit.se_gt, strict=True
                    )
                ]
                found.append(["att", "", "", overall.overall_att, overall.overall_se])
                for *keys, point, error in found:
                    numbers = (f"{point:.9g}", f"{error:.9g}")
                    writer.writerow([seed, adjustment, control, *keys, *numbers])


if __name__ == "__main__":
    main()
