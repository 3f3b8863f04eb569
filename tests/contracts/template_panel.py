"""The made-up panel of ``studies/_template``; run as a script, this file writes it again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

PLACE = Path(__file__).parents[2] / "studies" / "_template" / "panel.csv"
EFFECT = -0.1
YEARS = np.arange(2010, 2020)
ADOPTED = (2014, 2016, 2018, 0)


def template_panel() -> pd.DataFrame:
    """40 districts of 10 provinces over 10 years; the law lowers the log rate by 0.1 while in force."""
    rng = np.random.default_rng(20100101)
    district = np.arange(1, 41)
    adopted = np.resize(ADOPTED, district.size)
    population = rng.integers(5_000, 200_000, district.size)
    level = rng.normal(4.0, 0.5, district.size)
    shocks = rng.normal(0.0, 0.05, YEARS.size)
    noise = rng.normal(0.0, 0.08, (district.size, YEARS.size))
    in_force = (adopted[:, None] > 0) & (adopted[:, None] <= YEARS)
    rate = level[:, None] + shocks + EFFECT * in_force + noise
    rows = pd.MultiIndex.from_product([district, YEARS], names=["district", "year"])
    frame = rows.to_frame(index=False)
    place = frame["district"] - 1
    return frame.assign(
        district=[f"District {number:02d}" for number in frame["district"]],
        province=[f"Province {number % 10:02d}" for number in place],
        adopted=adopted[place],
        log_rate=rate.ravel().round(4),
        population=population[place],
    )[["district", "province", "year", "adopted", "log_rate", "population"]]


if __name__ == "__main__":
    template_panel().to_csv(PLACE, index=False, lineterminator="\n")
