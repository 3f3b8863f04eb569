"""How many cases are drawn, and what counts as a failure.

``REPLICATION_FUZZ_CASES`` is the number of cases of all tests together: 400 by default, 20,000 in
CI (within three minutes on two cores). Cases are drawn from the name of the test alone, so a run
can be repeated. A failing case is shown as it was drawn; with ``REPLICATION_FUZZ_SHRINK=1`` it is
reduced to a smaller one first.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from replication.core.errors import InputError

CASES = int(os.environ.get("REPLICATION_FUZZ_CASES", "400"))
PHASES = [Phase.explicit, Phase.generate]
if os.environ.get("REPLICATION_FUZZ_SHRINK"):
    # Reducing a frame to the smallest one that fails takes minutes.
    PHASES.append(Phase.shrink)


def cases(share: float) -> settings:
    """Settings of a test that takes a share of all cases."""
    return settings(
        max_examples=max(int(share * CASES), 5),
        derandomize=True,
        database=None,
        deadline=None,
        phases=PHASES,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


def accepted(call: Callable[[], Any]) -> Any:
    """What a call returns, or None where it refuses in one paragraph; anything else is a failure.

    An exception outside of the family of ``InputError`` passes through and fails the test.
    """
    try:
        return call()
    except InputError as refusal:
        message = str(refusal)
        assert message.strip(), "a refusal says why"
        assert len(message) < 5000, "a refusal is one paragraph"
        return None


NASTY = (
    "\n",
    "\n\n",
    "\r",
    "\t",
    "\0",
    " ",
    ",",
    ",,,,",
    '"',
    "'",
    ":",
    ": ",
    "- ",
    "? ",
    "&a ",
    "*a",
    "<<: ",
    "!!int ",
    "!!timestamp ",
    "{",
    "}",
    "[",
    "]",
    "|",
    ">",
    "%",
    "@",
    "`",
    "#",
    "~",
    "null",
    ".nan",
    "-.inf",
    "1e400",
    "-1",
    "0",
    "9" * 30,
    "9" * 5000,
    "0x" + "f" * 60,
    "1:59:59",
    "0b_",
    "2001-99-99",
    "true",
    "NaN",
    "Infinity",
    "=1+1",
    "\N{SNOWMAN}",
    "\N{RIGHT-TO-LEFT OVERRIDE}",
    "\xa0",
    "\x85",
    "\ufeff",
    "\x1a",
    "PK\x03\x04",
    "..",
    "../x",
    "con",
    "a" * 300,
)


@st.composite
def changed(draw: st.DrawFn, content: bytes, most: int = 4) -> bytes:
    """Bytes with a few changes: flipped, cut out, doubled, cut off, or something nasty put in."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, most))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        length = draw(st.sampled_from([1, 2, 5, 40, 1000]))
        match draw(st.integers(0, 5)):
            case 0 if data:
                data[at] = draw(st.integers(0, 255))
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = data[at : at + length]
            case 3:
                del data[at:]
            case 4:
                other = draw(st.integers(0, max(len(data) - 1, 0)))
                data[at : at + length] = data[other : other + length]
            case _:
                data[at:at] = draw(st.sampled_from(NASTY)).encode()
    return bytes(data)
