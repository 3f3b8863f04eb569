"""How an estimator registers itself: a decorator beside the function, and nothing elsewhere.

An estimator is a module of this package (or a folder with a module of its name) that defines a
function of the module's own name under ``@registered(...)``. The keys of a specification that it
reads are the names of its keyword arguments.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec

from replication.core.errors import PanelError, SpecError
from replication.core.estimates import Estimates
from replication.core.estimator_files import estimator_names
from replication.core.panel import Panel
from replication.core.spec import Inference, Spec
from replication.core.spec_schema import check_keys
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


def require_usable(name: str, panel: object, options: Mapping[str, Any]) -> None:
    """Refuse what is no panel, and values that the schema of a specification refuses.

    Raises
    ------
    PanelError
        For a data frame or anything else in place of a ``Panel``.
    SpecError
        For an option with a value that is not allowed, as in a specification.
    """
    if not isinstance(panel, Panel):
        raise PanelError(
            f"{name} takes a Panel, and the data are of type {type(panel).__name__}. Read them first, as in "
            f"rp.{name}(rp.read_panel(frame, outcome=...)), or use rp.estimate(frame, outcome=..., "
            f"estimator={name!r})."
        )
    inference = options.get("inference")
    if not isinstance(inference, Inference | None):
        raise SpecError(
            f"{name}: 'inference' is of type {type(inference).__name__}. Pass rp.Inference(...), such as "
            "rp.Inference(draws=1999)."
        )
    check_keys({key: value for key, value in options.items() if key not in ("panel", "inference")}, name)


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
    """Register the function below, with its options checked; see ``Registered`` for the arguments."""

    def register(function: Callable[P, Estimates]) -> Callable[P, Estimates]:
        """Record the function under its own name, and return it."""
        parameters = inspect.signature(function).parameters.values()
        keywords = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]
        keys = tuple(name for name in keywords if name != "inference")

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> Estimates:
            """The estimator, after its panel and options were examined."""
            require_usable(function.__name__, args[0] if args else kwargs.get("panel"), kwargs)
            return function(*args, **kwargs)

        entry = Registered(
            label, checked, keys, cohorts, tuple(takes), tuple(methods), tuple(needs), interactions, own
        )
        _FOUND[function.__name__] = entry
        return checked

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
