"""Any text and any mapping is a specification or is refused in one paragraph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from drawn_specs import mutated, valid
from fuzzing import NASTY, accepted, cases, changed
from hypothesis import given
from hypothesis import strategies as st

from replication.core.files import parse_yaml
from replication.core.spec import load_specs, parse_spec
from replication.report.study_config import parse_study
from replication.workflow.explain import explain_spec

ROOT = Path(__file__).parents[2]
WRITTEN = st.lists(
    st.one_of(
        st.sampled_from([*NASTY, "id: one\n", "outcome: y\n", "estimator: twfe\n", "vary:\n", "  "]),
        st.text(alphabet="ab:-[]{}&*!|>'\"#%@?,. \n\t0159_~<=", max_size=12),
    ),
    max_size=12,
).map("".join)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("specs") / "spec.yaml"


def parsed(text: str) -> Any:
    try:
        return parse_yaml(text)
    except yaml.YAMLError:
        return None


@cases(0.25)
@given(text=WRITTEN)
def test_any_text_is_yaml_or_a_mistake_of_yaml(text: str) -> None:
    parsed(text)


@cases(0.12)
@given(data=st.data())
def test_a_file_of_any_bytes(place: Path, data: st.DataObject) -> None:
    text = yaml.safe_dump(data.draw(valid()), sort_keys=False).encode()
    content = data.draw(st.one_of(st.binary(max_size=60), changed(text)))
    place.write_bytes(content)
    specs = accepted(lambda: load_specs(place))
    assert specs is None or all(spec.outcome for spec in specs) or specs


@cases(0.15)
@given(spec=mutated())
def test_any_mapping(spec: dict[str, Any]) -> None:
    found = accepted(lambda: parse_spec(spec, "spec.yaml"))
    if found is not None:
        assert json.dumps(found.resolved(), default=str)
        assert "/" not in found.id
        assert found.id == found.id.strip()


@cases(0.03)
@given(spec=mutated())
def test_any_grid_is_spanned_and_explained(place: Path, spec: dict[str, Any]) -> None:
    place.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    text = accepted(lambda: explain_spec(place))
    assert text is None or "estimator:" in text


@cases(0.04)
@given(data=st.data())
def test_any_description_of_a_study(data: st.DataObject) -> None:
    folder = ROOT / "studies" / "castle_doctrine"
    name = data.draw(st.sampled_from(["study.yaml", "tables.yaml", "figures.yaml"]))
    content = data.draw(changed((folder / name).read_bytes()))
    found = parsed(content.decode("utf-8", errors="replace"))
    if name != "study.yaml":
        whole = parsed((folder / "study.yaml").read_text(encoding="utf-8"))
        found = {**whole, name.removesuffix(".yaml"): found}
    accepted(lambda: parse_study(found, "study.yaml"))
