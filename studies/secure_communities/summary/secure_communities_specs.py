"""Names of the specifications that the summary of Secure Communities speaks of."""

from __future__ import annotations

from replication.report.summary.numbers import Effect, Numbers

POPULATION = "population_2004"
OUTCOMES = {"index": "index crimes", "violent": "violent crimes", "property": "property crimes"}
OFFENCES = {
    "murder": "murder",
    "rape": "rape",
    "robbery": "robbery",
    "aggravated_assault": "aggravated assault",
    "burglary": "burglary",
    "larceny": "larceny",
    "motor_vehicle_theft": "vehicle theft",
}
ESTIMATORS = {
    "group_time": "group-time",
    "sun_abraham": "Sun-Abraham",
    "etwfe": "extended two-way",
    "imputation": "imputation",
    "two_stage": "two-stage",
    "stacked": "stacked",
    "local_projections": "local projections",
    "dcdh": "de Chaisemartin-D'Haultfoeuille",
}


def two_way(outcome: str, trends: str = "none", weights: str = POPULATION) -> str:
    """Two-way effects of the share of the year on a log rate."""
    return f"sc_twfe__log_rate_{outcome}__{trends}__{weights}"


def robust(estimator: str, outcome: str, weights: str = POPULATION) -> str:
    """A robust estimator in the design that ends in 2011."""
    return f"sc_{estimator}__log_rate_{outcome}__{weights}"


INDEX = two_way("index")
GROUP_TIME = robust("group_time", "index")


def by_outcome(numbers: Numbers, pattern: str) -> dict[str, Effect]:
    """Effects on the three totals; ``{}`` in the pattern stands for the outcome."""
    return {name: numbers.effect(pattern.format(key)) for key, name in OUTCOMES.items()}
