"""Labels that contradict the specification below them are refused.

A claim is a word of a label that a specification can prove wrong: clusters, weights, logs, control groups,
estimators, fixed effects and trends, years. A label beside specifications must hold for each of them; a title
or a note, which may speak of some rows only, for at least one. Words outside this vocabulary are not checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replication.core.errors import SpecError
from replication.core.label_texts import LabelText, label_texts, listed
from replication.core.spec_words import BY_TIME, LINEAR, WORDS, SpecWords, study_words


@dataclass(frozen=True, slots=True)
class Claim:
    """A kind of claim.

    Attributes
    ----------
    pattern : finds it in a text, in any case; its groups are what is claimed.
    holds : whether a specification agrees; None where the claim does not concern it.
    says : what the specification says instead, and the placeholder that fills it.
    """

    kind: str
    pattern: str
    holds: Callable[[re.Match[str], SpecWords], bool | None]
    says: Callable[[SpecWords], str]
    placeholder: str


ESTIMATOR_NAMES: Mapping[str, tuple[str, ...]] = {
    "twfe": ("twfe", "event_study", "goodman_bacon", "twfe_weights", "poisson"),
    r"poisson(?! \w*-?offset)": ("poisson",),
    "group-time|callaway": ("callaway_santanna",),
    "sun-abraham|interaction-weighted": ("sun_abraham",),
    "stacked": ("stacked",),
    "imputation|borusyak": ("imputation",),
    "two-stage|gardner": ("two_stage",),
    "de chaisemartin": ("dcdh",),
    "local projections": ("local_projections",),
    "extended two-way|extended twfe|wooldridge": ("etwfe",),
    "synthetic difference-in-differences": ("synthetic_did",),
    "roth-sant'anna": ("roth_santanna",),
    "two-way event study|twfe event study|poisson event study": ("event_study",),
}
"""Names of estimators as labels have them, and the estimators that they stand for."""

COMPARISONS = ("callaway_santanna", "local_projections", "roth_santanna", "stacked", "etwfe")
"""Estimators with a choice of control group."""


def _with_one(one: SpecWords) -> str:
    last = one.spec.get("control_group") == "last_treated"
    return "sun_abraham" if last else "callaway_santanna"


def _estimator(match: re.Match[str], one: SpecWords) -> bool:
    text = match[0].lower()
    allowed = {
        name for pattern, names in ESTIMATOR_NAMES.items() if re.search(pattern, text) for name in names
    }
    # The efficient estimator with the coefficient 1 is one of two others, by its control group.
    contained = one.estimator == "roth_santanna" and one.spec.get("beta") == 1 and _with_one(one) in allowed
    return one.estimator in allowed or contained or (one.poisson and "poisson" in allowed)


def _same(word: str, column: str, one: SpecWords) -> bool:
    """Whether a word of a label stands for a column: its label, its name, or the beginning of either."""
    known = (one.label(column).lower(), column.lower().replace("_", " "))
    return any(name == word or name.startswith(f"{word} ") or name.endswith(f" {word}") for name in known)


GROUPS = (
    "state|county|city|unit|region|division|agency|year|month|quarter|district|province|country|firm|school"
)
SEPARATORS = re.compile(r",? and (?:by )?|, ")


def _clusters(match: re.Match[str], one: SpecWords) -> bool | None:
    if one.inference.get("method") == "conley":
        return None
    words = SEPARATORS.split(match[1].lower())
    every = all(any(_same(word, column, one) for column in one.clusters) for word in words)
    return every and len(words) == len(one.clusters)


def _conley(match: re.Match[str], one: SpecWords) -> bool:
    cutoff = float(one.inference.get("cutoff_km", 200))
    return one.inference.get("method") == "conley" and cutoff == float(match[1].replace(",", ""))


ARTICLES = frozenset({"the", "their", "its", "of", "in", "by", "and", "each"})
YEAR = re.compile(r"\b(?:19|20)\d\d\b")


def _weighted_by(match: re.Match[str], one: SpecWords) -> bool:
    if not one.weights:
        return False
    label = one.label(one.weights).lower()
    # A text may say less than the label, or go on after it; another noun or year is a contradiction.
    nouns = {word for word in re.findall(r"[a-z]+", match[1].lower()) if word not in ARTICLES}
    return bool(nouns & set(label.split())) and all(year in label for year in YEAR.findall(match[1]))


def _log(_: re.Match[str], one: SpecWords) -> bool:
    outcome = one.outcome()
    words = f"{one.spec.get('outcome', '')} {outcome['label']} {outcome['unit']}".replace("_", " ").lower()
    return one.poisson or re.search(r"\b(?:log|logs|logarithm|ln)\b", words) is not None


def _control(match: re.Match[str], one: SpecWords) -> bool | None:
    if one.estimator not in COMPARISONS:
        return None
    claimed = "never_treated" if match[0].lower().startswith("never") else "not_yet_treated"
    return str(one.spec.get("control_group", "not_yet_treated")) == claimed


def _crossed(match: re.Match[str], one: SpecWords) -> bool:
    """``state-by-year fixed effects``, ``Region by year``."""
    stems = [name.removesuffix(BY_TIME) for name in one.trends if name.endswith(BY_TIME)]
    return any(_same(match[1].lower(), stem, one) for stem in stems)


def _two_way(match: re.Match[str], one: SpecWords) -> bool:
    """``County and year fixed effects``."""
    crossed = any(name.endswith(BY_TIME) for name in one.trends)
    return _same(match[1].lower(), one.unit, one) and _same(match[2].lower(), one.time, one) and not crossed


def _trends(match: re.Match[str], one: SpecWords) -> bool | None:
    if not (match[1] or match[2] or match[3]):
        return None
    stems = [name.removesuffix(LINEAR) for name in one.trends if name.endswith(LINEAR)]
    if (match[1] or "").lower().startswith(("without", "no ")):
        return not stems
    word = (match[2] or "").lower()
    columns = [one.unit if stem == "unit" else stem for stem in stems]
    # Units of another name, such as members of border pairs, may be of any kind.
    unnamed = one.unit in columns and not re.search(rf"\b(?:{GROUPS})\b", one.label(one.unit).lower())
    return bool(stems) and (not word or unnamed or any(_same(word, column, one) for column in columns))


def _years(match: re.Match[str], one: SpecWords) -> bool | None:
    return None if one.years is None else one.years == (int(match[1]), int(match[2]))


CLAIMS = (
    Claim(
        "clusters",
        rf"clustered (?:by|at the|on) ((?:{GROUPS})(?:,? and (?:by )?(?:{GROUPS}))*)\b",
        _clusters,
        lambda one: f"clusters by {WORDS['cluster'](one)}",
        "{cluster}",
    ),
    Claim(
        "distance of Conley standard errors",
        r"\bconley, ([\d,]+) km",
        _conley,
        lambda one: (
            f"has the method {one.inference.get('method', 'analytic')} and the cutoff "
            f"{WORDS['cutoff_km'](one)} km"
        ),
        "{cutoff_km}",
    ),
    Claim(
        "weights",
        r"\bunweighted\b|\bnot weighted\b",
        lambda _, one: not one.weights,
        lambda one: f"is {WORDS['weighting'](one)}",
        "{weighting}",
    ),
    Claim(
        "weights",
        r"(?<![-\w])(?<!not )weighted\b(?! (?:sum|average|mean|and unweighted))",
        lambda _, one: bool(one.weights),
        lambda one: f"is {WORDS['weighting'](one)}",
        "{weighting}",
    ),
    Claim(
        "weights",
        r"(?<!not )\bweighted by (?:the )?([^,;.()]+)",
        _weighted_by,
        lambda one: f"is {WORDS['weighting'](one)}",
        "{weighting}",
    ),
    Claim(
        "logs",
        r"\blog (?:rate|of|count|outcome)|, logs?\b",
        _log,
        lambda one: f"has the outcome {one.spec.get('outcome')}, which is no logarithm",
        "{outcome}",
    ),
    Claim(
        "control group",
        r"\bnever[- ]treated\b|\bnot[- ]yet[- ]treated\b",
        _control,
        lambda one: f"has the control group {one.spec.get('control_group', 'not_yet_treated')}",
        "{control_group}",
    ),
    Claim(
        "estimator",
        "|".join(rf"(?<![-\w])(?:{name})" for name in reversed(list(ESTIMATOR_NAMES))),
        _estimator,
        lambda one: f"uses {one.estimator}",
        "{estimator}",
    ),
    Claim(
        "fixed effects",
        rf"\b({GROUPS})[- ]by[- ](?:year|month|quarter|period|time)\b",
        _crossed,
        lambda one: f"has {one.effects()}",
        "{fixed_effects}",
    ),
    Claim(
        "fixed effects",
        rf"\b({GROUPS}) and (year|month|quarter|period|time) fixed effects",
        _two_way,
        lambda one: f"has {one.effects()}",
        "{fixed_effects}",
    ),
    Claim(
        "linear trends",
        rf"\b(without |no )?(?:({GROUPS})(?:-specific)? )?(linear )?trends\b",
        _trends,
        lambda one: f"has {one.linear() or 'no'} linear trends",
        "{trends}",
    ),
    Claim(
        "years",
        r"(?<![\d-])((?:19|20)\d\d)\s?[-\N{EN DASH}]\s?((?:19|20)\d\d)\b",
        _years,
        lambda one: f"uses {WORDS['years'](one)}",
        "{years}",
    ),
)
"""What is checked."""

IN_NOTES = ("clusters", "weights", "logs", "fixed effects", "years")
"""What is checked in notes, whose prose speaks of other estimators and samples as well."""


def refuse_contradictions(folder: Path, data: Mapping[str, Any], place: Callable[[str, int], str]) -> None:
    """Refuse the first label of a study that contradicts its specification.

    Raises
    ------
    SpecError
        With the file, the entry, the label, what it claims and what the specification says.
    """
    known = study_words(folder, data)
    for part, singular in (("tables", "table"), ("figures", "figure"), ("analyses", "analysis")):
        for number, entry in enumerate(listed(data.get(part))):
            for found in label_texts(entry, known, data):
                specs = [known[name] for name in found.specs]
                for claim in CLAIMS:
                    wrong = contradicted(claim, found, specs)
                    if wrong is not None:
                        where = f"{place(part, number)}, {singular} {entry.get('id')}"
                        raise SpecError(_refusal(where, found, claim, *wrong))


def contradicted(claim: Claim, found: LabelText, specs: Sequence[SpecWords]) -> tuple[str, SpecWords] | None:
    """The words of a text that contradict a specification, and that specification; None if none do."""
    if found.note and claim.kind not in IN_NOTES:
        return None
    for match in re.finditer(claim.pattern, found.claimed, re.IGNORECASE):
        verdicts = [(one, claim.holds(match, one)) for one in specs]
        failed = [one for one, held in verdicts if held is False]
        if failed and (not found.whole or len(failed) == len(verdicts)):
            return match[0], failed[0]
    return None


def _refusal(where: str, found: LabelText, claim: Claim, words: str, one: SpecWords) -> str:
    kind = "note" if found.note else found.key or "label"
    others = f" (one of {len(found.specs)} that it speaks of)" if len(found.specs) > 1 else ""
    return (
        f"{where}: the {kind} {found.text!r} says {words.strip()!r}, and the specification {one.id}{others} "
        f"{claim.says(one)}. Correct the {kind} or the specification, or write {claim.placeholder}, which "
        "the specification fills."
    )
