"""One reader per public source, from raw bytes to a tidy frame.

A reader checks that the file is what it is declared to be and refuses it otherwise; it applies no
sample rule of the studies, which belong to the cleaning recipes.
"""

from typing import Final

OFFENSES: Final = (
    "murder",
    "rape",
    "robbery",
    "aggravated_assault",
    "burglary",
    "larceny",
    "motor_vehicle_theft",
)
"""The offenses of the crime index, by the names of their columns."""
