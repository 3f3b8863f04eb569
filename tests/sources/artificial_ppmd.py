"""A made Return A master of 2013 in a zipx archive, compressed with PPMd as the real one is.

Neither Python nor any dependency of the package can write this compression. The bytes were made
once from ``AGENCIES`` below with pyppmd 1.3.1 (``Ppmd8Encoder(6, 1 << 20, 0)``, end mark written),
behind the two bytes that the zip format puts before such data (order - 1 in the lowest four bits,
megabytes - 1 in the next eight), as method 98 with the usual head, directory and check sum.
"""

from __future__ import annotations

import base64

from artificial_masters import Agency, steady

YEAR = 2013
AGENCIES = [
    Agency("AL00101", months=steady({"murder": 1, "burglary": -3}, {"murder": 1}), name="BESSEMER"),
    Agency("AL00102", covered_by="AL00101", name="LIPSCOMB"),
]
ZIPX = base64.b64decode(
    "UEsDBBQAAABiAAAAIQBBhdM06wAAALY5AAAPAAAAUkVUVVJOQTIwMTMuVFhUBQAxAyk4DKdYuRFZCzJi3SobvmJj"
    "G+AJBklcAvpIRKil38W2TJ2HAAfgU/PjLto0IC9j/VXVoTqkv7zDXAn9uP89jf5mNPR69XQ7BuW1ZvBOTylhcF6c"
    "/PHSlkbV5LynVN10J4jTCNHR4K7ohxZVs0TiHaaPzaqqEzwno1HKiOADNwd32/DNuk7C7344d4hD9/2qO49YIG9n"
    "yxcJOg8qQm8h6U94GTPEDiuBU5PW/XlS6OLTuT2U1QIHeWcXOlRuxjECbV+kwld57x+ZkHcefRLRDo7g8qcfUvRo"
    "ILnBlj54Xw2QBFsVwHkAAFBLAQIUABQAAABiAAAAIQBBhdM06wAAALY5AAAPAAAAAAAAAAAAAAAAAAAAAABSRVRV"
    "Uk5BMjAxMy5UWFRQSwUGAAAAAAEAAQA9AAAAGAEAAAAA"
)
