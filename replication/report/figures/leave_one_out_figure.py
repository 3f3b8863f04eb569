"""The estimate without each unit or group in turn: dots in order of size, groups kept together."""

from __future__ import annotations

from replication.report.figures.dots_figure import collect, draw

OPTIONS = {
    "required": ["source"],
    "shared": ["source", "rename", "where"],
    "properties": {
        "headline": {"type": "string", "description": "Label or specification id of the full sample."},
        "x_label": {"$ref": "#/$defs/axis"},
    },
}
__all__ = ["OPTIONS", "collect", "draw"]
