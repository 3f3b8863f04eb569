"""Where the files of one study are: results, figures, cleaned panels, and raw files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ANALYSES = "analyses"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the files of one study are."""

    tables: Path
    figures: Path
    clean: Path
    raw: Path

    @classmethod
    def under(cls, root: Path, study: str) -> Folders:
        """The folders of a study below the project's root."""
        return cls(
            root / "tables" / study, root / "figures" / study, root / "data_clean" / study, root / "data_raw"
        )

    def shown(self, name: str) -> str:
        """The path of the file relative to the root of the project."""
        # Where one folder holds everything (a simulation), that folder is the root.
        root = self.raw if self.raw == self.tables else self.raw.parent
        return self.source(name).relative_to(root).as_posix()

    def source(self, name: str) -> Path:
        """The file that a name such as ``clean/sample_flow.csv`` stands for."""
        place, _, rest = name.partition("/")
        if place == ANALYSES:
            return self.tables / ANALYSES / rest
        return Path(getattr(self, place)) / rest
