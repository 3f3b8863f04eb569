"""How an estimator registers itself: a decorator beside the function, and nothing elsewhere.

An estimator is a module of this package (or a folder with a module of its name) that defines a
function of the module's own name under ``@registered(...)``. The keys of a specification that it
reads are the names of its keyword arguments.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ParamSpec

from replication.core.estimates import Estimates
from replication.core.estimator_files import estimator_names
from replication.core.spec import Spec
from replication.inference.methods import LINEAR, NONE, OwnMethods

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Registered:
    """An estimator: its label in tables, the keys it reads, and what it can take.

    Attributes
    ----------
    function : takes a ``Panel`` and keyword arguments, and gives ``Estimates``.
    keys : names of ``Spec`` fields passed on as keyword arguments.
    cohorts : whether adoption must be a cohort (a share-of-period treatment is refused).
    takes : which of ``trends``, ``covariates``, ``offset`` and ``weights`` it can use.
    methods : values of ``inference.method`` that it has.
    needs : keys without which it does not run.
    interactions : whether covariates may be interacted with periods.
    own : the methods of inference that it does itself, for a specification.
    """

    label: str
    function: Callable[..., Estimates]
    keys: tuple[str, ...]
    cohorts: bool = True
    takes: tuple[str, ...] = ("weights",)
    methods: tuple[str, ...] = LINEAR
    needs: tuple[str, ...] = ()
    interactions: bool = False
    own: Callable[[Spec], OwnMethods] = lambda spec: NONE


_FOUND: dict[str, Registered] = {}


def registered(
    label: str,
    *,
    cohorts: bool = True,
    takes: Sequence[str] = ("weights",),
    methods: Sequence[str] = LINEAR,
    needs: Sequence[str] = (),
    interactions: bool = False,
    own: Callable[[Spec], OwnMethods] = lambda spec: NONE,
) -> Callable[[Callable[P, Estimates]], Callable[P, Estimates]]:
    """Register the function below; see ``Registered`` for the arguments."""

    def register(function: Callable[P, Estimates]) -> Callable[P, Estimates]:
        """Record the function under its own name, and return it."""
        parameters = inspect.signature(function).parameters.values()
        keywords = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]
        keys = tuple(name for name in keywords if name != "inference")
        entry = Registered(
            label, function, keys, cohorts, tuple(takes), tuple(methods), tuple(needs), interactions, own
        )
        _FOUND[function.__name__] = entry
        return function

    return register


class _Estimators(Mapping[str, Registered]):
    """Every registered estimator by name; its module is imported when it is asked for."""

    def __getitem__(self, name: str) -> Registered:
        if name not in estimator_names():
            raise KeyError(name)
        importlib.import_module(f"replication.estimators.{name}")
        return _FOUND[name]

    def __iter__(self) -> Iterator[str]:
        return iter(estimator_names())

    def __len__(self) -> int:
        return len(estimator_names())


ENTRIES: Mapping[str, Registered] = _Estimators()
