"""Words for how standard errors, p-values and intervals of a result arise, for notes and summaries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from replication.core.details import Details
from replication.core.estimates import Estimates
from replication.core.special_functions import special
from replication.display.formatting import distinct_words, integer, listed

DESIGN_BASED = ("roth_santanna",)
"""Estimators whose standard errors come from the assignment of treatment, not from clusters."""
PAPERS = {"conley_taber": "Conley and Taber (2011)", "ferman_pinto": "Ferman and Pinto (2019)"}
SHORT_NAMES = {"conley_taber": "Conley-Taber", "ferman_pinto": "Ferman-Pinto"}
"""The same in the name of a row."""
WHOLE_BOOTSTRAP = "a cluster bootstrap of the whole procedure ({} draws)"
BY_STD_ERROR = ("t", "bootstrap_t")
"""Intervals of a cluster bootstrap that are the estimate and its standard error times a critical value."""
P_VALUES, INTERVALS = "p-values", "confidence intervals"
"""What may be from draws."""
PLAIN = "standard errors"
CLUSTERED = "are clustered by"
VARIANCES = {"cv2": "CR2 standard errors", "cv3": "cluster-jackknife (CV3) standard errors"}
TRENDS = "outcomes are net of unit-specific linear trends fitted before adoption; "

Words = tuple[str, str]
"""Subject and predicate of a sentence on standard errors; no predicate where the subject says all."""


def clusters_of(details: Details, estimator: str) -> str:
    """Names of the clusterings; empty where standard errors are not clustered."""
    how = details.uncertainty
    unclustered = how.method == "conley" or how.variance == "hc1" or estimator in DESIGN_BASED
    return "" if unclustered else " and ".join(details.clusters)


def std_errors(details: Details, estimator: str, clusters: str = "") -> Words:
    """What the standard errors of a result are; ``clusters``: labels of the clusterings, if not columns."""
    how, donors, few = details.uncertainty, details.extras.get("donor_errors"), details.few_treated
    clusters, draws = clusters or clusters_of(details, estimator), f"{integer(how.draws)} draws"
    if how.method == "conley":
        return conley_words(details), ""
    if how.variance == "hc1":
        return f"heteroskedasticity-robust (HC1) {PLAIN}", ""
    if few is not None:
        controls = f"residuals of {integer(few.control_clusters)} control clusters"
        return PLAIN, f"follow {PAPERS[few.method]}, with {controls}"
    if how.resampled_clusters or donors == "bootstrap":
        return PLAIN, f"are from a cluster bootstrap ({draws}; clusters: {clusters})"
    if how.method == "multiplier":
        return PLAIN, f"are from a multiplier bootstrap ({draws}; clusters: {clusters})"
    if donors == "placebo":
        return PLAIN, f"are from placebo treatments of control units ({draws})"
    if estimator in DESIGN_BASED:
        return f"design-based {PLAIN}", ""
    subject = f"jackknife {PLAIN}" if donors == "jackknife" else VARIANCES.get(how.variance, PLAIN)
    return subject, f"{CLUSTERED} {clusters}"


def conley_words(details: Details) -> str:
    """``Conley (1999) standard errors with a 200 km Bartlett kernel``."""
    cutoff, kernel = details.extras.get("cutoff_km"), str(details.extras.get("kernel", ""))
    return f"Conley (1999) {PLAIN} with a {f'{cutoff:g} km {kernel.capitalize()}'.strip()} kernel"


def is_plain(words: Words) -> bool:
    """Whether standard errors are the usual clustered ones."""
    return words[0] == PLAIN and words[1].startswith(CLUSTERED)


def error_note(fits: Sequence[Estimates], labels: Sequence[str]) -> str:
    """How the standard errors of results arose, each result named where they differ."""
    every = [std_errors(fit.details, fit.estimator) for fit in fits]
    if len(set(every)) == 1:
        return _capital(f"{every[0][0]} {every[0][1] or 'are reported'}.")
    parts = []
    for words in dict.fromkeys(every):
        who = [label for label, one in zip(labels, every, strict=True) if one == words]
        parts.append(f"{listed(distinct_words(who))}: {' '.join(words).strip()}.")
    return " ".join(parts)


def in_parentheses(fits: Sequence[Estimates], labels: Sequence[str]) -> str:
    """The same below a table, which has a row for clusters."""
    every = {std_errors(fit.details, fit.estimator) for fit in fits}
    (subject, words), *others = every
    if others:
        apart = "" if all(map(is_plain, every)) else f" {error_note(fits, labels)}"
        return f"Standard errors are in parentheses.{apart}"
    if words.startswith(CLUSTERED):
        return _capital(f"{subject}, {words.removeprefix('are ')}, are in parentheses.")
    return _capital(f"{subject} in parentheses {words}." if words else f"{subject} are in parentheses.")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def critical_distribution(table: pd.DataFrame, details: Details) -> str:
    """The distribution of the critical values of the first interval: ``t(49)``, ``the normal distribution``.

    Empty where there is no interval, or it comes from draws.
    """
    row, share = table.iloc[0], 0.5 + details.uncertainty.level / 2
    value = (row["conf_high"] - row["conf_low"]) / (2 * row["std_error"])
    freedom = int(row["n_clusters"]) - 1
    for quantile, name in (
        (special.stdtrit(max(freedom, 1), share), f"t({freedom})"),
        (special.ndtri(share), "the normal distribution"),
    ):
        if np.isclose(value, quantile, rtol=1e-9, atol=0):
            return name
    return ""


def method_note(table: pd.DataFrame, details: Details) -> str:
    """How p-values and intervals arose; empty for analytic ones, and where a note of the result has it."""
    how, estimator = details.uncertainty, str(table["estimator"].iloc[0])
    plain = "design-based" if estimator in DESIGN_BASED else "cluster-robust"
    tails = critical_distribution(table, details)
    used = f"; p-values and intervals use critical values from {tails}" if tails else ""
    tails = f", with critical values from {tails}" if tails else ""
    if details.few_treated is not None or how.variance in VARIANCES:
        return ""
    if details.permutation is not None and how.method == "permutation":
        intervals = " and intervals" if np.isfinite(table["conf_low"].iloc[0]) else ""
        return (
            f"the p-values are from {randomization(details)}; standard errors{intervals} are {plain}{tails}"
        )
    if how.method == "wild":
        return f"the p-values and intervals are from {wild(table, details)}; standard errors are {plain}"
    if how.resampled_clusters:
        detrended = TRENDS if estimator == "callaway_santanna" and details.linear_trends else ""
        return f"{detrended}{bootstrap(details, used)}"
    words = std_errors(details, estimator)
    if is_plain(words):
        return ""
    if how.method == "conley":
        return f"{PLAIN} are {words[0].replace(f' {PLAIN}', '')}{used}"
    return f"{words[0]} {words[1] or 'are reported'}{used}"


def drawn_method(details: Details) -> str:
    """What p-values are from where the printed standard error does not give them; empty where it does."""
    how = details.uncertainty
    if details.few_treated is not None:
        return SHORT_NAMES[details.few_treated.method]
    if details.permutation is not None and how.method == "permutation":
        return "randomization inference"
    if how.method == "wild":
        return "wild bootstrap"
    if how.resampled_clusters and how.interval not in BY_STD_ERROR:
        return "cluster bootstrap"
    return ""


def drawn_source(table: pd.DataFrame, details: Details) -> str:
    """The same with the number of draws."""
    if details.few_treated is not None:
        few, paper = details.few_treated, PAPERS[details.few_treated.method]
        return f"{integer(few.placebo_values)} placebo values of control clusters, as in {paper}"
    if details.permutation is not None and details.uncertainty.method == "permutation":
        return randomization(details)
    if details.uncertainty.method == "wild":
        return wild(table, details)
    return WHOLE_BOOTSTRAP.format(integer(details.uncertainty.draws)) if drawn_method(details) else ""


def drawn_notes(fits: Sequence[Estimates], labels: Sequence[str], subject: str = P_VALUES) -> list[str]:
    """A sentence for each source of p-values or intervals that the standard errors do not give.

    ``subject``: what is from the draws; intervals are not from permutations, which give p-values alone.
    """
    every = [
        "" if subject == INTERVALS and fit.details.permutation else drawn_source(fit.table, fit.details)
        for fit in fits
    ]
    found = []
    for words in distinct_words(every):
        who = distinct_words(label for label, one in zip(labels, every, strict=True) if one == words)
        named = "" if every.count(words) == len(fits) else f"in {listed(who)}, "
        found.append(_capital(f"{named}{subject} are from {words}."))
    return found


def randomization(details: Details) -> str:
    """Randomization inference, with the number of permutations."""
    record = details.permutation
    assert record is not None
    number = integer(record.draws - record.draws_lost)
    every = ", all that are possible" if record.complete else ""
    return f"randomization inference ({number} permutations of adoption histories{every})"


def wild(table: pd.DataFrame, details: Details) -> str:
    """The wild cluster bootstrap, with the number of draws."""
    how, groups = details.uncertainty, int(table["n_clusters"].iloc[0])
    complete = how.multiplier == "rademacher" and groups < np.log2(how.draws + 1)
    draws = f"all {2**groups} sign patterns" if complete else f"{integer(how.draws)} draws"
    return f"the wild cluster bootstrap ({draws}, null imposed)"


def bootstrap(details: Details, used: str) -> str:
    """The cluster bootstrap, and what comes from its draws."""
    whole = WHOLE_BOOTSTRAP.format(integer(details.uncertainty.draws))
    if details.uncertainty.interval in BY_STD_ERROR:
        return f"standard errors are from {whole}{used}"
    return f"standard errors, p-values, and intervals are from {whole}"
