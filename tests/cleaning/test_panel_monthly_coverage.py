"""Agency-months put right, the three rules of use, and counties' completeness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from artificial_monthly import STEADY, agency, month, read_years
from sources.artificial_masters import Month

from replication.cleaning.agency_coverage import (
    apply_rule,
    county_counts,
    county_coverage,
    county_shares,
    years_of,
)
from replication.cleaning.agency_months import AgencyMonths, agency_months, settle
from replication.core.errors import PanelError
from replication.sources import OFFENSES

FULL = {m: month() for m in range(1, 13)}
SILENT = Month("00000")
Months = Mapping[int, Month]


def arrays(tmp_path: Path, *years: Mapping[str, Months], **choices: object) -> AgencyMonths:
    """Sheriff's and city's months as given, one mapping of agency to months a year from 2007."""
    changed = {
        2007 + at: {
            ori: agency(ori, 1, "4", (10_000, "001"), months=dict(months), **choices)
            for ori, months in agencies.items()
        }
        for at, agencies in enumerate(years)
    }
    return agency_months(read_years(tmp_path, list(changed), changed))


def row(months: AgencyMonths, ori: str) -> int:
    return int(np.searchsorted(months.ori, ori))


def counts(months: AgencyMonths, ori: str, offense: str, measure: str = "actual") -> list[float]:
    cube = getattr(months, measure)
    found: list[float] = cube[row(months, ori), :, OFFENSES.index(offense)].tolist()
    return found


def note(months: AgencyMonths, words: str) -> int:
    lines = months.notes[months.notes["what"].str.contains(words)]
    return int(lines["count"].sum())


def test_steady_returns_are_taken_as_they_are(tmp_path: Path) -> None:
    months = arrays(tmp_path, {"AL00101": FULL}, {"AL00101": FULL})
    assert years_of(months) == [2007, 2008]
    assert months.months.tolist() == list(range(564, 588))
    assert months.reported.all()
    assert counts(months, "AL00101", "burglary") == [5.0] * 24
    assert counts(months, "AL00101", "aggravated_assault") == [4.0] * 24
    assert counts(months, "AL00101", "robbery", "cleared") == [1.0] * 24
    assert (months.notes["count"] == 0).all()
    assert months.people[row(months, "TXDPD00")].tolist() == [24_000] * 24


def test_an_agency_absent_from_a_year_covers_no_one_in_it(tmp_path: Path) -> None:
    months = arrays(tmp_path, {}, {"AL00199": FULL})
    at = row(months, "AL00199")
    assert months.people[at].tolist() == [0] * 12 + [10_000] * 12
    assert months.reported[at].tolist() == [False] * 12 + [True] * 12
    assert np.isnan(months.actual[at, :12]).all()


def test_half_yearly_figures_and_silent_months_are_not_reports(tmp_path: Path) -> None:
    half = {m: month(times=6) if m in {6, 12} else Month() for m in range(1, 13)}
    hole = FULL | {4: Month()}
    months = arrays(tmp_path, {"AL00101": half, "AL00102": hole})
    assert not months.reported[row(months, "AL00101")].any()
    assert np.isnan(counts(months, "AL00101", "larceny")).all()
    assert np.flatnonzero(~months.reported[row(months, "AL00102")]).tolist() == [3]
    assert note(months, "quarterly to yearly") == 1
    assert note(months, "months of zero") == 1


def test_corrections_are_taken_off_earlier_months(tmp_path: Path) -> None:
    months = arrays(
        tmp_path,
        {
            "AL00101": FULL | {3: month(burglary=-12), 8: month(murder=-1)},
            "AL00102": FULL | {1: month(rape=-2)},
        },
    )
    assert counts(months, "AL00101", "burglary")[:4] == [0, 0, 0, 5]
    assert counts(months, "AL00101", "murder")[5:9] == [1, 0, 0, 1]
    assert counts(months, "AL00102", "rape") == [0, *[2] * 11]
    assert note(months, "negative counts") == 3
    assert note(months, "left of them") == 2 + 2


def test_corrections_without_an_earlier_month_and_beside_zeros_are_counted_once(tmp_path: Path) -> None:
    """AL00101 reports one month with a count below zero; AL00102 has a zero beside its correction."""
    months = arrays(
        tmp_path,
        {"AL00101": {1: month(rape=-2)}, "AL00102": FULL | {2: month(murder=0), 3: month(murder=-1)}},
    )
    assert counts(months, "AL00101", "rape")[0] == 0
    assert counts(months, "AL00102", "murder")[:4] == [0, 0, 0, 1]
    assert note(months, "negative counts") == 2
    assert note(months, "left of them") == 2


@pytest.mark.parametrize(
    ("before", "after", "left"),
    [
        ([5, 5, -7], [3, 0, 0], 0),
        ([-3, 5], [0, 5], 3),
        ([2, np.nan, -1, -4], [0, np.nan, 0, 0], 3),
        ([4, -1, 3, -5], [1, 0, 0, 0], 0),
    ],
)
def test_settling(before: list[float], after: list[float], left: float) -> None:
    series = np.array(before, dtype=np.float32)
    assert settle(series) == left
    np.testing.assert_array_equal(series, np.array(after, dtype=np.float32))


def test_included_months_get_their_share(tmp_path: Path) -> None:
    year = FULL | {1: Month("00000", 3), 2: Month("00000", 3), 3: month(times=3)}
    lost = FULL | {5: Month("00000", 6), 6: SILENT}
    months = arrays(tmp_path, {"AL00101": year, "AL00102": lost})
    assert counts(months, "AL00101", "burglary") == [5.0] * 12
    assert counts(months, "AL00101", "murder", "cleared")[:4] == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1])
    assert months.reported[row(months, "AL00101")].all()
    assert np.flatnonzero(~months.reported[row(months, "AL00102")]).tolist() == [4, 5]
    assert note(months, "included in another") == 2


def test_covered_agencies_count_no_people(tmp_path: Path) -> None:
    months = arrays(tmp_path, {"AL00102": {}}, covered_by="AL00100")
    assert months.people[row(months, "AL00102")].sum() == 0
    assert note(months, "covered by another") == 1
    orphan = arrays(tmp_path, {"AL00102": {}}, covered_by="AL09999")
    assert orphan.people[row(orphan, "AL00102")].tolist() == [10_000] * 12


def test_totals_only_returns_have_offenses_but_no_clearances(tmp_path: Path) -> None:
    months = arrays(tmp_path, {"AL00101": {m: month("02000") for m in range(1, 13)}})
    assert counts(months, "AL00101", "robbery") == [3.0] * 12
    assert np.isnan(counts(months, "AL00101", "robbery", "cleared")).all()


GAPPED = FULL | {2: SILENT, 7: SILENT, 8: SILENT}
UNEVEN = {m: month(times=m) for m in range(1, 13)} | {4: SILENT}


def test_the_rule_of_complete_reporters(tmp_path: Path) -> None:
    months = apply_rule(arrays(tmp_path, {"AL00101": GAPPED}, {"AL00101": FULL}), "complete")
    at = row(months, "AL00101")
    assert months.reported[at].tolist() == [False] * 12 + [True] * 12
    assert np.isnan(months.actual[at, :12]).all()
    assert months.reported[row(months, "AL00100")].all()


def test_the_rule_of_scaling(tmp_path: Path) -> None:
    three = {m: month() for m in (1, 2, 3)}
    two = {m: month() for m in (1, 2)}
    raw = arrays(tmp_path, {"AL00101": UNEVEN, "AL00102": three, "AL00103": two})
    months = apply_rule(raw, "scaled")
    burglary = counts(months, "AL00101", "burglary")
    assert burglary[3] == pytest.approx(5 * (78 - 4) / 11)
    assert sum(burglary) == pytest.approx(5 * (78 - 4) * 12 / 11)
    assert counts(months, "AL00102", "robbery") == [3.0] * 12
    assert counts(months, "AL00102", "robbery", "cleared") == [1.0] * 12
    assert months.reported[row(months, "AL00102")].all()
    assert not months.reported[row(months, "AL00103")].any()
    assert np.isnan(counts(months, "AL00103", "robbery")).all()


def test_the_rule_of_interpolation(tmp_path: Path) -> None:
    january = FULL | {1: SILENT}
    raw = arrays(
        tmp_path,
        {"AL00101": GAPPED, "AL00102": UNEVEN, "AL00103": FULL},
        {"AL00101": FULL, "AL00102": FULL, "AL00103": january},
    )
    months = apply_rule(raw, "interpolated")
    assert np.flatnonzero(~months.reported[row(months, "AL00101")]).tolist() == [6, 7]
    assert counts(months, "AL00102", "burglary")[3] == pytest.approx((15 + 25) / 2)
    assert counts(months, "AL00103", "larceny")[12] == 6
    apart = replace(raw, months=np.r_[raw.months[:12], raw.months[12:] + 12])
    gap = apply_rule(apart, "interpolated")
    assert np.isnan(counts(gap, "AL00103", "larceny")[12])


def test_an_unknown_rule_and_double_years_are_refused(tmp_path: Path) -> None:
    raw = arrays(tmp_path, {})
    with pytest.raises(PanelError, match=r"no coverage rule 'scale' \(did you mean 'scaled'\?\)"):
        apply_rule(raw, "scale")
    (tidy,) = read_years(tmp_path, [2007])
    with pytest.raises(PanelError, match="Return A of 2007 was given twice"):
        agency_months([tidy, tidy])
    with pytest.raises(PanelError, match="No year of Return A was given"):
        agency_months([])


SHARES = pd.DataFrame(
    {
        "year": 2007,
        "ori": ["AL00100", "AL00101", "TXDPD00", "TXDPD00", "TX05700"],
        "fips": [1001, 1001, 48085, 48113, 48113],
        "share": [1.0, 1.0, 0.25, 0.75, 1.0],
    }
)


def test_counties_add_up_their_shares_of_agencies(tmp_path: Path) -> None:
    raw = arrays(tmp_path, {"AL00101": FULL | {4: SILENT}})
    shares = county_shares(SHARES, raw)
    assert shares.fips.tolist() == [1001, 48085, 48113]
    used = apply_rule(raw, "complete")
    cover = county_coverage(raw, used, shares)
    assert cover["listed_population"][:, 0].tolist() == [40_000, 6000, 18_000 + 7000]
    assert cover["covered_population"][0].tolist() == [30_000] * 12
    assert cover["reporting_share"][0].tolist() == [1.0] * 3 + [0.75] + [1.0] * 8
    assert cover["agencies_used"][:, 0].tolist() == [1, 1, 2]
    found = county_counts(used, shares)
    assert found["burglary"][:, 0].tolist() == [5, 1.25, 5 + 3.75]
    assert found["cleared_robbery"][:, 0].tolist() == [1, 0.25, 1.75]
    assert found["base_robbery"][:, 0].tolist() == [3, 0.75, 5.25]
    assert sum(STEADY[name] for name in ("murder", "rape", "robbery")) == 6


def test_clearances_are_counted_beside_the_offenses_of_the_same_agencies(tmp_path: Path) -> None:
    totals = {m: month("02000") for m in range(1, 13)}
    raw = arrays(tmp_path, {"AL00101": totals})
    shares = county_shares(SHARES, raw)
    found = county_counts(raw, shares)
    assert found["robbery"][0, 0] == 6
    assert found["base_robbery"][0, 0] == 3
    assert found["cleared_robbery"][0, 0] == 1
    cover = county_coverage(raw, raw, shares)
    assert cover["clearance_population"][0, 0] == 30_000
    nobody = apply_rule(arrays(tmp_path, {"AL00100": {}, "AL00101": {}}), "complete")
    empty = county_counts(nobody, county_shares(SHARES, nobody))
    assert np.isnan(empty["robbery"][0]).all()
    assert np.isnan(empty["cleared_robbery"][0]).all()
