"""Make ``dcdh_moderndid.csv``: intertemporal effects of the drawn panels by moderndid 0.4.1.

Usage, from the root of the repository, with Python 3.12 or later and moderndid 0.4.1:
``PYTHONPATH=tests python tests/reference/dcdh_moderndid.py``.
"""

import warnings
from pathlib import Path

import moderndid
import numpy as np
import pandas as pd
from dosed_panels import CASES, EFFECTS, PLACEBOS, draw_doses

NAMES = {"weights": "weightsname"}


def theirs(seed: int) -> list[dict]:
    draw, keys = CASES[seed]
    options = {NAMES.get(key, key): value for key, value in keys.items() if key != "covariates"}
    if "covariates" in keys:
        options["xformla"] = "~ " + " + ".join(keys["covariates"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = moderndid.did_multiplegt(
            draw_doses(seed, **draw),
            yname="y",
            tname="time",
            idname="unit",
            dname="d",
            effects=EFFECTS,
            placebo=PLACEBOS,
            **options,
        )
    rows = [{"row": "att", "estimate": found.ate.estimate, "std_error": found.ate.std_error}]
    for block in (found.effects, found.placebos):
        for h, *numbers in zip(
            block.horizons, block.estimates, block.std_errors, block.n_switchers, strict=True
        ):
            names = ("estimate", "std_error", "switchers")
            rows.append({"row": f"event:{int(h) - 1}", **dict(zip(names, numbers, strict=True))})
    joint = found.placebo_joint_test
    rows.append({"row": "joint", "estimate": np.nan if joint is None else joint["chi2_stat"]})
    return [{"seed": seed, "units": found.n_units, **row} for row in rows if np.isfinite(row["estimate"])]


if __name__ == "__main__":
    frame = pd.DataFrame([row for seed in CASES for row in theirs(seed)])
    frame.to_csv(Path(__file__).with_suffix(".csv"), index=False, float_format="%.15g")
