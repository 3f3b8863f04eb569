"""Commands on folders of saved results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from replication.audit.event_window import NEAR
from replication.core import saved_results
from replication.core.errors import SpecError
from replication.core.estimates import NUMBERS, Estimates, row_labels
from replication.core.files import replacing
from replication.core.result_files import RECORDED
from replication.core.temporary_files import visible_paths
from replication.core.wording import extension_words
from replication.display.inference_text import critical_distribution
from replication.display.result_text import estimator_label, heading
from replication.report.result_table import ResultTable, result_table

FIGURES = (".png", ".pdf", ".svg")


def read_folder(folder: Path) -> tuple[Estimates, dict[str, Any]]:
    """The result in a folder, and the record of its specification.

    Raises
    ------
    SpecError
        If the folder holds no result, or one that is damaged.
    """
    if not (folder / RECORDED).is_file():
        grid = sorted(place.parent.name for place in visible_paths(folder.glob(f"*/{RECORDED}"), folder))
        if grid:
            more = f" and {len(grid) - 5} more" if len(grid) > 5 else ""
            raise SpecError(
                f"{folder} contains saved results: {', '.join(grid[:5])}{more}. Name one of them."
            )
        raise SpecError(
            f"{folder} contains no saved result (no spec.yaml). Name a folder that `replication estimate "
            "--out` wrote, or one below tables/<study>/specs/."
        )
    try:
        result, record = saved_results.load(folder)
        _require_whole(result, record)
    except (OSError, yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise SpecError(
            f"{folder} contains a result that cannot be read ({type(error).__name__}: {reason}). "
            "Estimate the specification again."
        ) from None
    return result, record


def _require_whole(result: Estimates, record: Mapping[str, Any]) -> None:
    """Fail on invalid numbers, repeated rows, and a record without a specification."""
    dict(record["spec"])
    text = [name for name in NUMBERS if not pd.api.types.is_numeric_dtype(result.table[name])]
    if text:
        raise ValueError(f"the column {text[0]} contains text")
    rows = pd.Index(row_labels(result.table))
    if not rows.is_unique:
        raise ValueError(f"the row {rows[rows.duplicated()][0]} is there twice")


def load_labeled(folders: Sequence[Path], labels: Sequence[str] | None) -> tuple[list[Estimates], list[str]]:
    """The results of several folders, and a label for each: those given, or the specifications' ids.

    An id that is the name of an estimator is printed as tables call it.
    """
    fits = [read_folder(folder)[0] for folder in folders]
    if labels is None:
        ids = [str(fit.table["spec_id"].iloc[0]) for fit in fits]
        names = [estimator_label(name) for name in ids]
        return fits, names if len(set(names)) == len(names) else folder_labels(folders)
    if len(labels) != len(fits):
        raise SpecError(
            f"--labels has {len(labels)} label{'s' * (len(labels) != 1)} for {len(fits)} "
            f"folder{'s' * (len(fits) != 1)}. Give one label per folder."
        )
    return fits, list(labels)


def folder_labels(folders: Sequence[Path]) -> list[str]:
    """Names of the folders, or their whole paths where two have one name; numbered if one is given twice."""
    short, whole = [folder.resolve().name for folder in folders], [str(folder) for folder in folders]
    for names in (short, whole):
        if len(set(names)) == len(names):
            return names
    return [f"{name} ({place})" for place, name in enumerate(short, 1)]


def plot_folders(folders: Sequence[Path], labels: Sequence[str] | None, title: str, output: Path) -> Path:
    """Draw the event-time paths of saved results into one figure."""
    import matplotlib as mpl

    from replication.display.canvas import COMPRESSED
    from replication.display.event_plot import event_study_figure

    if output.suffix not in FIGURES:
        raise SpecError(
            f"Figures are saved as {', '.join(FIGURES[:-1])}, or {FIGURES[-1]}, and {output} "
            f"{extension_words(output)}. Use one of these endings."
        )
    fits, names = load_labeled(folders, labels)
    outcomes = {fit.outcome for fit in fits}
    if len(outcomes) > 1:
        raise SpecError(
            f"The results are of different outcomes ({', '.join(sorted(outcomes))}), which do not share an "
            "axis. Plot each outcome by itself."
        )
    figure = event_study_figure(fits, names, title)
    ending = output.suffix[1:]
    options = COMPRESSED.get(ending, {})
    with replacing(output) as temporary, mpl.rc_context({"svg.hashsalt": "replication"}):
        figure.savefig(temporary, format=ending, metadata=undated(output.suffix), **options)
    return output


def undated(suffix: str) -> dict[str, None]:
    """Metadata that keep the bytes of a figure the same on every day."""
    return {"CreationDate": None} if suffix == ".pdf" else {"Date": None} if suffix == ".svg" else {}


def table_of_folders(
    folders: Sequence[Path], labels: Sequence[str] | None, title: str, *, overall: bool = False
) -> ResultTable:
    """A table with a column for each saved result; without event times if ``overall``."""
    fits, names = load_labeled(folders, labels)
    return result_table(fits, names, title, overall=overall)


BOUNDS = {
    "relative_magnitudes": (
        "Mbar",
        "the change in the violation of parallel trends between consecutive post-adoption periods, as a "
        "multiple of the largest such change before adoption",
        "under exact parallel trends",
    )
}
"""Name of the bound, what it restricts, and what a bound of zero is, by restriction."""
SLOPES = (
    "M",
    "the change in the slope of the violation of parallel trends between consecutive periods, in units of "
    "the outcome",
    "if the violation of parallel trends is exactly linear",
)
"""The same for the other restrictions."""


def honest_text(folder: Path, method: str, target: str, window: tuple[int, int] | None = None) -> str:
    """Intervals under violations of parallel trends, and the violation at which the sign is lost.

    ``window`` are the first and last event time; all of the path if None.
    """
    from replication.inference.sensitivity import breakdown_value, honest_did

    fit, record = read_folder(folder)
    aim = int(target) if target.lstrip("-").isdigit() else target
    found = honest_did(fit, method=method, target=aim, window=window)
    bound, restricted, none = BOUNDS.get(method, SLOPES)
    first, last = (float(end) for end in str(found["event_times"].iloc[0]).split(".."))
    ends = fit.path()[0]["event_time"].agg(["min", "max"])
    pooled = f"The binned end points ({ends['min']:g} and {ends['max']:g}) are left out."
    left_out = [pooled] if fit.details.endpoints == "bin" and window is None else []
    what = f"average of event times 0 to {last:g}" if aim == "average" else f"event time {aim}"
    shown = found[["bound", "estimate", "conf_low", "conf_high"]].rename(columns={"bound": bound})
    value = breakdown_value(fit, method=method, target=aim, window=window)
    breakdown = (
        f"{bound} = {value:.3g}, the largest violation at which the interval excludes zero."
        if value > 0
        else f"none. The interval contains zero even {none} ({bound} = 0)."
    )
    return "\n".join(
        [
            f"Sensitivity to violations of parallel trends ({method.replace('_', ' ')}, Rambachan and Roth "
            "2023)",
            f"{heading(fit.outcome, fit.estimator)}, {what}",
            *left_out,
            "",
            shown.to_string(index=False, float_format=lambda number: f"{number:.4g}"),
            "",
            critical_values(fit, bound),
            f"Breakdown value: {breakdown} {bound} bounds {restricted}.",
            *apart_from_audit(first, last, whole=window is None and not record["spec"].get("window")),
        ]
    )


def critical_values(fit: Estimates, bound: str) -> str:
    """The level and the critical values of the intervals, and where those of the estimate differ."""
    words = "Critical values are from the normal distribution, as in Rambachan and Roth (2023)"
    own = critical_distribution(fit.table, fit.details)
    if own.startswith("t("):
        words += f"; the interval of the estimate itself uses {own}, so the row {bound} = 0 can be narrower"
    return f"95% confidence intervals. {words}."


def apart_from_audit(first: float, last: float, *, whole: bool) -> list[str]:
    """A sentence where `replication audit` uses other event times, so that its breakdown value differs."""
    within = first >= -NEAR and last <= NEAR
    if within and (whole or (first, last) == (-NEAR, NEAR)):
        return []
    same = f"; `--window -{NEAR} {NEAR}` reports that" if whole else ""
    return [
        f"This uses event times {first:g} to {last:g}. `replication audit` uses those up to {NEAR} before "
        f"and after adoption, and its breakdown value may differ{same}."
    ]
