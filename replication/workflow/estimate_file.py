"""One specification on one panel file: the promise behind ``replication estimate``."""

from __future__ import annotations

from pathlib import Path

from replication.core import saved_results
from replication.core.errors import SpecError
from replication.core.estimates import Estimates
from replication.core.frames import read_frame
from replication.core.panel_builder import build_panel
from replication.core.spec import Spec, load_specs
from replication.estimators.registry import estimate
from replication.estimators.unused_keys import unread_keys, with_notes
from replication.leavings import sweep


def estimate_file(spec_path: Path, panel_path: Path, out: Path) -> list[Estimates]:
    """Estimate every specification of a file on a panel and save the results.

    One specification is saved in ``out`` itself; a grid in one folder a specification below it.
    Nothing is written before all of them are estimated.
    """
    specs = load_specs(spec_path)
    if out.exists() and not out.is_dir():
        raise SpecError(f"--out {out} is a file. Name a folder; it is made if it does not exist.")
    frame = read_frame(panel_path)
    unread = unread_keys(specs)
    found = [(spec, estimate(build_panel(frame, spec), spec)) for spec in specs]
    results = [(spec, with_notes(result, unread.get(spec.id, []))) for spec, result in found]
    for spec, result in results:
        folder = out if len(specs) == 1 else out / spec.id
        sweep([folder])
        saved_results.save(result, spec, folder)
    return [result for _, result in results]


def describe(spec: Spec, result: Estimates) -> str:
    """One paragraph about a result, for the terminal."""
    lines = [f"{spec.id}: {spec.estimator} of {spec.outcome}"]
    overall = result.rows("att")
    if len(overall):
        row = overall.iloc[0]
        lines.append(
            f"  att {row.estimate:.6g} (std. error {row.std_error:.6g}), "
            f"{spec.inference.level:.0%} interval [{row.conf_low:.6g}, {row.conf_high:.6g}]"
        )
        lines.append(
            f"  {row.n_obs} observations, {row.n_units} units, {row.n_clusters} clusters, "
            f"{'weighted' if result.info.get('weighted') else 'unweighted'}"
        )
    lines += [f"  note: {note}" for note in result.info.get("notes", [])]
    return "\n".join(lines)
