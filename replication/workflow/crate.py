"""The project's folder as an RO-Crate 1.1: its files, the workflow, and a run of each rule.

Soiland-Reyes et al. (2022), https://w3id.org/ro/crate/1.1. The date is that of the release in
``CITATION.cff``: the bytes depend on the files alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from replication.core.errors import SpecError
from replication.core.files import parse_yaml

SPECIFICATION: Final = "https://w3id.org/ro/crate/1.1"
CONTEXT: Final = [f"{SPECIFICATION}/context", {"sha256": "http://schema.org/sha256"}]
"""The term for checksums came to schema.org after this version of RO-Crate."""
LICENSES: Final = "https://spdx.org/licenses/"
TYPES: Final = {
    ".css": "text/css",
    ".csv": "text/csv",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".dta": "application/x-stata-dta",
    ".gz": "application/gzip",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python",
    ".svg": "image/svg+xml",
    ".tex": "application/x-tex",
    ".tsv": "text/tab-separated-values",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".yaml": "application/yaml",
    ".zip": "application/zip",
}
"""By ending, as the types that Python knows depend on the machine; all others are plain text."""
WORKFLOW: Final = "Snakefile"
CITED: Final = "The RO-Crate takes its title, license, date, and authors from this file"
CFF: Final = "https://citation-file-format.github.io"


def crate(found: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """The metadata of the crate.

    Parameters
    ----------
    found : what ``manifest_files.manifest`` returns.

    Raises
    ------
    SpecError
        If there is no ``CITATION.cff`` with title, license, date and authors.
    """
    cited = citation(root)
    files = [one for one in [*found["inputs"], *found["outputs"]] if one["inside"]]
    raw = [one for one in found["inputs"] if not one["inside"]]
    actions = _actions(found)
    dataset = {
        "@id": "./",
        "@type": "Dataset",
        "name": cited["title"],
        "description": "; ".join(study["title"] for study in found["studies"]),
        "datePublished": str(cited["date-released"]),
        "license": {"@id": f"{LICENSES}{cited['license']}"},
        "author": [{"@id": f"#author-{place}"} for place, _ in enumerate(cited["authors"], 1)],
        "hasPart": [{"@id": one["path"]} for one in files],
        "mentions": [{"@id": one["@id"]} for one in [*actions, *map(_raw, raw)]],
        "mainEntity": {"@id": WORKFLOW},
    }
    return {
        "@context": CONTEXT,
        "@graph": [_descriptor(), dataset, *_people(cited), *map(_entity, files), *map(_raw, raw), *actions],
    }


def citation(root: Path) -> dict[str, Any]:
    """What ``CITATION.cff`` says of the project."""
    path, needed = root / "CITATION.cff", ("title", "license", "date-released", "authors")
    try:
        cited = parse_yaml(path.read_text(encoding="utf-8"))
        lost = [key for key in needed if not cited.get(key)]
    except FileNotFoundError:
        raise SpecError(
            f"There is no {path}. {CITED}: create it ({CFF}) and run the command again."
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError):
        raise SpecError(f"{path} cannot be read as YAML. {CITED}: correct it ({CFF}).") from None
    if lost:
        raise SpecError(f"{path} contains no {' or '.join(lost)}. {CITED}: add what is missing ({CFF}).")
    return dict(cited)


def _descriptor() -> dict[str, Any]:
    return {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "conformsTo": {"@id": SPECIFICATION},
        "about": {"@id": "./"},
    }


def _people(cited: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Authors, license and the program that runs the workflow."""
    authors = [
        {
            "@id": f"#author-{place}",
            "@type": "Person" if "family-names" in author else "Organization",
            "name": author.get("name") or f"{author.get('given-names', '')} {author['family-names']}".strip(),
        }
        for place, author in enumerate(cited["authors"], 1)
    ]
    return [
        *authors,
        {"@id": f"{LICENSES}{cited['license']}", "@type": "CreativeWork", "name": str(cited["license"])},
        {
            "@id": "#snakemake",
            "@type": "ComputerLanguage",
            "name": "Snakemake",
            "url": "https://snakemake.github.io",
        },
    ]


def _entity(one: Mapping[str, Any]) -> dict[str, Any]:
    path = str(one["path"])
    kinds = ["File", "SoftwareSourceCode", "ComputationalWorkflow"] if path == WORKFLOW else "File"
    language = {"programmingLanguage": {"@id": "#snakemake"}} if path == WORKFLOW else {}
    return {
        "@id": path,
        "@type": kinds,
        "name": path,
        "encodingFormat": TYPES.get(Path(path).suffix, "text/plain"),
        "contentSize": str(one["bytes"]),
        "sha256": one["sha256"],
        **language,
    }


def _raw(one: Mapping[str, Any]) -> dict[str, Any]:
    """Data that are not part of the crate: raw files of a mirror, and those of an installed package."""
    said = {"name": one["source"], "publisher": one["publisher"], "citation": one["citation"]}
    more = {key: value for key, value in (("url", one["url"]), ("sha256", one["sha256"])) if value}
    return {"@id": f"#raw-{one['source']}", "@type": "CreativeWork", **said, **more}


def _actions(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A run of each rule for each study, with the files that it made."""
    made: dict[tuple[str, str], list[str]] = {}
    for one in found["outputs"]:
        made.setdefault((one["rule"], one.get("study", "all")), []).append(one["path"])
    return [
        {
            "@id": f"#{rule}-{study}",
            "@type": "CreateAction",
            "name": f"Rule {rule} of {study}",
            "instrument": {"@id": WORKFLOW},
            "result": [{"@id": path} for path in paths],
        }
        for (rule, study), paths in sorted(made.items())
    ]
