"""Writes continuous_dose.csv beside it with moderndid 0.4.1, which needs Python 3.12."""

from __future__ import annotations

import csv
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
CONTROLS = {"never_treated": "nevertreated", "not_yet_treated": "notyettreated"}
DOSES = [0.5, 0.75, 1.0, 1.5]
DRAWS = 2


def main() -> None:
    """One line an estimate; standard errors are the root of the summed squares of the influence."""
    import moderndid
    import numpy as np
    import polars
    from unit_dose_panels import dosed_panel

    warnings.simplefilter("ignore")
    with (HERE / "continuous_dose.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["seed", "control_group", "degree", "knots", "term", "estimate", "std_error"])
        for seed in range(20):
            frame = polars.DataFrame(dosed_panel(seed))
            for control, name in CONTROLS.items():
                for degree, knots in ((3, 0), (2, 2)):
                    fit = moderndid.cont_did(
                        frame,
                        yname="y",
                        tname="time",
                        idname="unit",
                        gname="cohort",
                        dname="dose",
                        dvals=DOSES,
                        degree=degree,
                        num_knots=knots,
                        control_group=name,
                        biters=DRAWS,
                        random_state=1,
                    )
                    found = [
                        ("att", fit.overall_att, fit.overall_att_inf_func),
                        ("acrt", fit.overall_acrt, fit.overall_acrt_inf_func),
                        *zip([f"att_d:{d:g}" for d in DOSES], fit.att_d, fit.att_d_inf_func.T, strict=True),
                        *zip(
                            [f"acrt_d:{d:g}" for d in DOSES], fit.acrt_d, fit.acrt_d_inf_func.T, strict=True
                        ),
                    ]
                    for term, point, influence in found:
                        error = np.sqrt((np.asarray(influence) ** 2).sum()) / len(influence)
                        writer.writerow(
                            [seed, control, degree, knots, term, f"{point:.10g}", f"{error:.10g}"]
                        )


if __name__ == "__main__":
    main()
