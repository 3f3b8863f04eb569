"""Triple differences with staggered adoption, Ortiz-Villavicencio & Sant'Anna (2025)."""

from replication.estimators.triple_difference.triple_difference import triple_difference

__all__ = ["triple_difference"]
