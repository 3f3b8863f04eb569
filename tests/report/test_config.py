"""What a study description refuses, and how it says so."""

from __future__ import annotations

from typing import Any

import pytest

from replication.core.errors import SpecError
from replication.report.study_config import parse_study


def test_the_example_is_read(description: dict[str, Any]) -> None:
    study = parse_study(description)
    assert [entry.id for entry in study.tables] == [
        "main",
        "by_panel",
        "published",
        "sample_flow",
        "estimators",
    ]
    assert study.outcome("rate_b").unit == "offenses per 100,000 people"
    assert study.outcome("not_described").label == "not described"
    assert study.label("population_2004") == "Population in 2004"


def change(description: dict[str, Any], *path: Any, value: Any) -> dict[str, Any]:
    target: Any = description
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return description


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("tables", 0, "kind"), "regresion", r"table 'main': 'kind' is 'regresion' \(did"),
        (("tables", 0, "colums"), [], r"table 'main': .*unknown key 'colums' \(did you mean 'col"),
        (("figures", 0, "kind"), "event_studies", "figure 'events': .*did you mean 'event_study'"),
        (("figures", 0, "panels", 0, "serie"), [], "unknown key 'serie' .did you mean 'series'"),
        (("tables", 3, "source"), "sample_flow.csv", "clean/<file> of data_clean/<study>/"),
        (("tables", 2, "rows", 2, "estimate"), 0.1, "in quotation marks so that trailing zeros"),
        (("titel",), "x", "unknown key 'titel' .did you mean 'title'"),
        (("tables", 1, "id"), "main", "the id 'main' is used 2 times"),
    ],
)
def test_unknown_keys_and_values_are_named(
    description: dict[str, Any], path: tuple[Any, ...], value: Any, message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        parse_study(change(description, *path, value=value))


def test_required_keys_are_asked_for(description: dict[str, Any]) -> None:
    del description["figures"][1]["source"]
    with pytest.raises(SpecError, match=r"figure 'rollout': .*required key 'source' is missing"):
        parse_study(description)


def test_simulated_studies_say_so_in_every_file_name(description: dict[str, Any]) -> None:
    description["simulated"] = True
    with pytest.raises(SpecError, match=r"7 of its 7 .* for example 'main'. Call it 'main_SIMU"):
        parse_study(description)
