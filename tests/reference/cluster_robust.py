"""Make ``cluster_robust.csv``: write the regressions out, and let R clubSandwich estimate them.

Usage, from the root of the repository, with R and its packages clubSandwich and plm:
``PYTHONPATH=tests:tests/inference python tests/reference/cluster_robust.py``.
"""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from cluster_robust_designs import cases

HERE = Path(__file__).parent


def write(folder: Path, name: str, written) -> None:
    others = [f"u{k}" for k in range(written.design.shape[1])]
    nested = [f"n{k}" for k in range(written.nested.shape[1])]
    frame = pd.DataFrame(np.hstack([written.design, written.nested]), columns=[*others, *nested]).assign(
        y=written.y, w=written.weight, cluster=written.cluster
    )
    if nested:
        frame["unit"] = written.nested.argmax(axis=1)
        frame["period"] = frame.groupby("unit").cumcount()
    frame.to_csv(folder / f"{name}.csv", index=False, float_format="%.17g")
    rows = pd.DataFrame(written.rows, index=others).T
    rows.to_csv(folder / f"{name}.rows.csv", float_format="%.17g")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as artificial:
        for name, case in cases().items():
            write(Path(artificial), name, case.written())
        command = ["Rscript", str(HERE / "cluster_robust.R"), artificial, str(HERE / "cluster_robust.csv")]
        subprocess.run(command, check=True)
