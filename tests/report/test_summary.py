"""Written summaries: what is printed is fetched, and what is said follows the numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from replication.core.errors import SpecError
from replication.core.spec import load_specs
from replication.core.study_folder import read_description
from replication.report.folders import Folders
from replication.report.report_context import Context
from replication.report.site.site_pages import StudyReport, study_files
from replication.report.study_config import StudyConfig, load_study
from replication.report.summary import phrases, write_summary
from replication.report.summary.numbers import Numbers, QuotedEffect, Value
from replication.report.summary.phrases import changed, moved
from replication.report.summary.template import MARK, compose, in_order, unwrapped
from replication.workflow.project import StudyFolder as Planned

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "studies" / "secure_communities" / "specs"
TEMPLATE = SPECS.parent / "summary.md.j2"


def effect(estimate: float, std_error: float = 0.01, source: str = "s") -> QuotedEffect:
    return QuotedEffect(estimate, estimate - 2 * std_error, estimate + 2 * std_error, 0.5, source)


DOWN, UP, FLAT = effect(-0.05), effect(0.05), effect(0.001)


@pytest.mark.parametrize(
    ("effects", "words"),
    [
        ({"a": DOWN, "b": DOWN}, "a (x) and b (x) fell"),
        ({"a": UP, "b": FLAT}, "a (x) rose; b (x) showed no statistically significant change"),
        (
            {"a": FLAT, "b": DOWN, "c": DOWN},
            "b (x) and c (x) fell; a (x) showed no statistically significant change",
        ),
    ],
)
def test_verbs_follow_intervals(effects: dict[str, QuotedEffect], words: str) -> None:
    assert moved(effects, lambda _: "x") == words


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            (DOWN, DOWN),
            (FLAT, DOWN),
            "Trends render the estimate insignificant for a and leave it significant for b.",
        ),
        ((DOWN, FLAT), (UP, DOWN), "Trends reverse the sign for a and render it significant for b."),
        ((FLAT, FLAT), (FLAT, FLAT), "Trends change nothing, as every interval contained zero before."),
        ((UP, UP), (UP, UP), "Trends leave it significant for a and b."),
    ],
)
def test_what_a_change_of_design_does(
    before: tuple[QuotedEffect, QuotedEffect], after: tuple[QuotedEffect, QuotedEffect], words: str
) -> None:
    pairs = [dict(zip("ab", part, strict=True)) for part in (before, after)]
    assert changed(*pairs, "Trends") == words


def test_numbers_are_fetched_printed_and_kept(study: StudyConfig, folders: Folders) -> None:
    numbers = Numbers(study, folders)
    found = numbers.effect("plain")
    row = numbers.results.get("plain").row("att")
    assert found.estimate == row["estimate"]
    point, low, high = (100 * np.expm1(row[key]) for key in ("estimate", "conf_low", "conf_high"))
    shown = f"{point:.1f}% [{low:.1f}, {high:.1f}]".replace("-", "\N{MINUS SIGN}")
    assert numbers.percent(found) == f"{shown}[^1]"
    assert numbers.count(numbers.about("plain", "n_units")) == "60[^2]"
    assert numbers.percent(found).endswith("[^1]")
    counties = numbers.cell("clean/sample_flow.csv", "counties_after", step=2)
    assert numbers.count(counties) == "2,049[^3]"
    assert numbers.sources["clean/sample_flow.csv, step 2, counties_after"] == 3
    assert [line["value"] for line in numbers.ledger] == pytest.approx(
        [row["estimate"], 60, row["estimate"], 2049]
    )
    assert numbers.ledger[0]["source"] == "plain"


def test_rows_of_files_name_their_specification(study: StudyConfig, folders: Folders) -> None:
    frame = pd.DataFrame(
        {
            "label": ["a", "b"],
            "estimate": [-0.1, 0.2],
            "conf_low": -0.2,
            "conf_high": [-0.05, 0.4],
            "spec_id": ["plain", None],
        }
    )
    place = folders.tables / "analyses" / "lines.csv"
    place.parent.mkdir(exist_ok=True)
    frame.to_csv(place, index=False)
    numbers = Numbers(study, folders)
    first = numbers.line("analyses/lines.csv", label="a")
    assert first.direction == -1
    assert first.source == "analyses/lines.csv, label a (`plain`)"
    assert numbers.line("analyses/lines.csv", label="b").source == "analyses/lines.csv, label b"
    assert np.isnan(first.p_value)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda n: n.effect("plan"), "'plan' has not been estimated yet"),
        (lambda n: n.effect("plain", "event:3"), "has no row 'event:3'"),
        (lambda n: n.cell("clean/sample_flow.csv", "counties_after"), "has 2 rows"),
        (lambda n: n.cell("clean/sample_flow.csv", "counties", step=2), "no column 'counties'"),
        (lambda n: n.frame("clean/sample_flow.csv", step=9), "has no row with"),
        (lambda n: n.about("plain", "sample.years"), "has no 'sample.years'"),
        (lambda n: n.reported("Nothing"), "has no row 'Nothing'"),
    ],
)
def test_what_is_gone_stops_the_summary(ask: Any, message: str, study: StudyConfig, folders: Folders) -> None:
    with pytest.raises(SpecError, match=message):
        ask(Numbers(study, folders))


def test_footnotes_are_numbered_as_they_appear(study: StudyConfig, folders: Folders) -> None:
    numbers = Numbers(study, folders)
    late, early = numbers.words(Value("late", "L")), numbers.words(Value("early", "E"))
    numbers.words(Value("never shown", "N"))
    assert in_order(f"{early} then {late} then {early}", numbers) == (
        "early[^1] then late[^2] then early[^1]"
    )
    assert numbers.sources == {"E": 1, "L": 2}
    assert [(line["printed"], line["footnote"]) for line in numbers.ledger] == [
        ("early", 1),
        ("late", 2),
    ]


@pytest.mark.parametrize(
    ("text", "line", "output"),
    [
        ("# T\n\n{{ pkt('plain') }}\n", 3, r"'pkt' is not defined \(did you mean 'pct'\?\)"),
        ("{% if x %}\n\nnever closed\n", 2, "Unexpected end of template"),
        ("a\n{{ pct('plan') }}\n", 2, r"'plan' has not been estimated yet \(did you mean 'plain'\?\)"),
        ("a\nb\n{{ count(cell('clean/sample_flow.csv', 'counties_after')) }}", 3, "has 2 rows"),
        ("{% set x = {} %}\n{{ x.missing }}", 2, "has no attribute 'missing'"),
        ("{{ fixed(1, 2, 3, 4) }}", 1, "takes from 2 to 4 positional arguments"),
        (
            "{% for row in rows('clean/sample_flow.csv', largest='step') %}\n{{ row.stp }}{% endfor %}",
            2,
            "'stp'",
        ),
        (
            "{{ nth('clean/sample_flow.csv', 'step', 2) }}",
            1,
            "has 2 rows, and the summary needs the one at 2",
        ),
    ],
)
def test_faults_of_a_template_name_its_line(
    text: str, line: int, output: str, study: StudyConfig, folders: Folders, tmp_path: Path
) -> None:
    (tmp_path / "summary.md.j2").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=output) as refused:
        write_summary(tmp_path / "summary.md.j2", study, folders, tmp_path / "summary.md")
    assert str(refused.value).startswith(f"made, summary: {tmp_path / 'summary.md.j2'}, line {line}: ")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "summary.md").exists()


FLOW_TEMPLATE = """# {{ title }}

{% set flow = "clean/sample_flow.csv" %}
Of {{ count(nth(flow, "counties_after", 0)) }} counties
{{ count(nth(flow, "counties_after", -1)) }}
are kept.

- The effect is
  {{ pct("plain") }}.
- Trends: {{ pct("plain_trends") }}.
"""


def test_a_template_fetches_prints_and_notes(study: StudyConfig, folders: Folders, tmp_path: Path) -> None:
    (tmp_path / "summary.md.j2").write_text(FLOW_TEMPLATE, encoding="utf-8")
    assert write_summary(tmp_path / "summary.md.j2", study, folders, tmp_path / "summary.md") == 4
    lines = (tmp_path / "summary.md").read_text(encoding="utf-8").split("\n")
    assert lines[:3] == [f"# {study.title}", "", "Of 3,100[^1] counties 2,049[^2] are kept."]
    assert re.fullmatch(r"- The effect is \S+% \[\S+, \S+\]\[\^3\]\.", lines[4])
    assert lines[5].startswith("- Trends: ")
    assert lines[7] == "[^1]: clean/sample_flow.csv, first row, counties_after"


def test_paragraphs_are_unwrapped_and_rows_are_not() -> None:
    text = "\n# T\n\n\nA  b\n  c\n \n| x |\n| y |\n\n- one\n  and\n- two\np\N{NO-BREAK SPACE}= 1\n"
    assert unwrapped(text) == "# T\n\nA b c\n\n| x |\n| y |\n\n- one and\n- two p\N{NO-BREAK SPACE}= 1"


def test_the_page_links_the_summary(study: StudyConfig, folders: Folders) -> None:
    report = StudyReport(Context.of(study, folders))
    for there in (False, True):
        linked = [link["href"] for link in study_files(report, there)]
        assert ("summary.md" in linked) == there


def test_only_studies_with_a_template_have_a_summary(tmp_path: Path) -> None:
    silent = Planned("a", {"panels": ["p"]}, tmp_path, tmp_path)
    assert silent.summary_outputs() == []
    (tmp_path / "summary.md.j2").write_text("x")
    assert silent.summary_outputs() == ["report/a/summary.md", "tables/a/summary_numbers.csv"]


# The template of Secure Communities, on made-up worlds.


class MadeNumbers(Numbers):
    """Every effect is the same; files have one made-up row for whatever is asked."""

    def __init__(self, study: StudyConfig, folders: Folders, world: QuotedEffect) -> None:
        super().__init__(study, folders)
        self.world = world
        self.requested: set[str] = set()
        self.changed: dict[str, QuotedEffect] = {}

    def effect(self, spec_id: str, row: str = "att") -> QuotedEffect:
        self.requested.add(spec_id)
        return replace(self.changed.get(spec_id, self.world), source=f"`{spec_id}`, {row}")

    def about(self, spec_id: str, key: str) -> Value:
        self.requested.add(spec_id)
        return Value([2004, 2012] if key == "sample.years" else 50, f"`{spec_id}`, {key}")

    def frame(self, file: str, /, **where: Any) -> pd.DataFrame:
        self.requested.add(file)
        world = {"estimate": self.world.estimate, "conf_low": self.world.low, "conf_high": self.world.high}
        p_value = 0.001 if self.world.direction else 0.4
        columns = dict.fromkeys(("p_value", "p_romano_wolf", "pretrend_p_value"), p_value) | dict.fromkeys(
            (
                "counties",
                "counties_after",
                "people_after",
                "units",
                "units_left_out",
                "none_share",
                "effective_groups",
                "breakdown_relative_magnitudes",
                "breakdown_smoothness",
                "percent",
                "power",
                "size",
                "percent_by_permutation",
                "low",
                "high",
                "k_low",
                "k_high",
            ),
            0.25,
        )
        words = {
            "date": "2008-10-27",
            "rule": "A rule",
            "where": "IN",
            "group": "TX",
            "label": "TX",
            "postal": "TX",
            "state": "Texas",
            "event_times": "-6..2",
            "spec_id": "curve_share__unit_linear",
        }
        rows = [{**world, **columns, **words, **where}]
        listed = not where or (file == "analyses/inference.csv" and "label" not in where)
        return pd.DataFrame(rows * (2 if listed else 1))

    @property
    def bundle(self) -> pd.DataFrame:  # type: ignore[override]
        return self.frame("tables/estimates.csv")


@pytest.fixture(scope="module")
def real() -> StudyConfig:
    return load_study(SPECS.parent)


def artificial(
    real: StudyConfig, folders: Folders, world: QuotedEffect, **changes: QuotedEffect
) -> tuple[str, Any]:
    numbers = MadeNumbers(real, folders, world)
    numbers.changed = changes
    return compose(TEMPLATE, numbers), numbers


def test_every_specification_and_file_that_it_names_exists(real: StudyConfig, folders: Folders) -> None:
    _, numbers = artificial(real, folders, DOWN)
    known = {spec.id for path in SPECS.rglob("*.yaml") for spec in load_specs(path)}
    files = {name for name in numbers.requested if "/" in name}
    assert numbers.requested - files <= known
    entries = read_description(SPECS.parent).data["analyses"]
    analyses = {f"analyses/{entry['id']}.csv" for entry in entries}
    cleaned = {"clean/rollout.csv", "clean/sample_flow.csv", "tables/estimates.csv"}
    typed = {"raw/typed/census_regions.csv"}
    assert files <= analyses | cleaned | typed


@pytest.mark.parametrize("world", [DOWN, UP, FLAT])
def test_no_sentence_contradicts_the_numbers(
    real: StudyConfig, folders: Folders, world: QuotedEffect
) -> None:
    text, numbers = artificial(real, folders, world)
    output = re.sub(
        r"“[^”]*”|(?<!\*)\*[^*\n]+\*(?!\*)", "", text.split("## Question and answer", 1)[1]
    ).split("[^1]:")[0]
    words = {-1: phrases.FELL, 1: phrases.ROSE, 0: phrases.STILL}
    for direction, word in words.items():
        assert (f" {word}" in output) == (direction == world.direction), word
    if world.direction == 0:
        assert "every interval contained zero before" in output
        assert "without trends for none; with county trends for none" in output
        assert "(0 of 5 intervals exclude zero)" in output
        assert "none has an interval that excludes zero" in output
    else:
        assert "render the estimate insignificant" not in output
        assert "leave it significant for index crimes, violent crimes, and property crimes" in output
        assert "(5 of 5 intervals exclude zero)" in output
    marks = [int(number) for number in MARK.findall(text.split("[^1]:")[0])]
    assert list(dict.fromkeys(marks)) == list(range(1, max(marks) + 1))
    assert len(re.findall(r"^\[\^\d+\]: ", text, re.MULTILINE)) == max(marks)
    assert {line["footnote"] for line in numbers.ledger} == set(marks)


def test_one_specification_changes_its_number_and_its_sentence(real: StudyConfig, folders: Folders) -> None:
    changed_one = "sc_twfe__log_rate_index__unit_linear__population_2004"
    before, _ = artificial(real, folders, DOWN)
    after, numbers = artificial(real, folders, DOWN, **{changed_one: FLAT})
    assert "County trends render the estimate insignificant for index crimes and leave it" in after
    assert "County trends render the estimate insignificant" not in before
    assert "reflects in part how that regression estimates them" in after
    fitted = ("sc_imputation_trends__log_rate_index", "sc_group_time_trends__log_rate_index")
    one, other = (f"{name}__population_2004" for name in fitted)
    assert "Their p-values are" in artificial(real, folders, DOWN, **{changed_one: FLAT, one: FLAT})[0]
    neither = artificial(real, folders, DOWN, **{changed_one: FLAT, one: FLAT, other: FLAT})[0]
    assert "every interval contains zero" in neither
    assert "The interval of TWFE with county trends excludes zero" in before
    lines = [line for line in numbers.ledger if line["source"].startswith(changed_one)]
    assert {line["value"] for line in lines} == {FLAT.estimate}
    assert len(lines) >= 4


def test_ledger_holds_every_printed_result(real: StudyConfig, folders: Folders) -> None:
    """Without its results the text has no figure but names, dates and years of publication."""
    text, numbers = artificial(real, folders, DOWN)
    body = text.split("## Question and answer", 1)[1].split("[^1]:")[0]
    for line in sorted(numbers.ledger, key=lambda one: -len(one["printed"])):
        body = body.replace(f"{line['printed']}[^{line['footnote']}]", "")
    left = {word.strip("(),.;:") for word in re.findall(r"\S*\d\S*", body)}
    assert {word for word in left if not re.fullmatch(r"20\d\d", word)} <= ALLOWED


# Lengths of lists that are named beside, levels of tests and intervals, the scale of the coverage
# indicator, the day of "March 20, 2012", part 4 of the county files, 100(exp(b) − 1), event times 0 and 1.
ALLOWED = {"1", "2", "3", "4", "5", "15", "0.05", "0", "100", "100,000", "100(exp(b", "20", "5%", "95"}


def test_ledger_is_a_file(real: StudyConfig, folders: Folders, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(
        "replication.report.summary.template.Numbers",
        lambda study, folders: MadeNumbers(study, folders, DOWN),
    )
    count = write_summary(TEMPLATE, real, folders, tmp_path / "s.md")
    ledger = pd.read_csv(folders.tables / "summary_numbers.csv")
    assert len(ledger) == count
    assert list(ledger) == ["footnote", "printed", "value", "low", "high", "source"]
    assert isinstance(ledger.iloc[0].to_dict(), Mapping)


def test_estimates_that_do_not_survive_are_named(real: StudyConfig, folders: Folders) -> None:
    fragile = "sc_twfe__log_rate_violent__unit_linear__none"
    text, _ = artificial(real, folders, DOWN, **{fragile: FLAT})
    assert "The TWFE estimate for violent crimes with county trends varies" in text
    assert text.count("with county trends varies") == 1
    assert "with county trends varies" not in artificial(real, folders, DOWN)[0]
