"""The parameters of a function, and what their annotations mean, as far as that can be told.

From Python 3.14 on, an annotation that names what is not there yet, or what is there for type checkers alone, is no fault until somebody
asks for its value: then it raises NameError. What is asked here never does.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any, ForwardRef

from .._runtime.safely import safely_or

# The signature with no annotation evaluated, and the one with what can be evaluated now.
if sys.version_info >= (3, 14):
    from annotationlib import Format

    _as_written = functools.partial(inspect.signature, annotation_format=Format.STRING)
    _as_meant = functools.partial(inspect.signature, annotation_format=Format.FORWARDREF)
else:
    _as_written = _as_meant = inspect.signature

_CATCH_ALL = inspect.Signature(
    [inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL), inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)]
)


def parameters_of(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return the parameters, or a catch-all for what doesn't tell its own. Their annotations may be text."""
    return list(safely_or(_as_written, function, _CATCH_ALL).parameters.values())


def annotations_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotations by name, the one of the result under `return`; one that can't be evaluated now stays text."""
    signature = safely_or(_as_meant, function, inspect.Signature())
    written = {**{name: each.annotation for name, each in signature.parameters.items()}, "return": signature.return_annotation}
    namespace: dict[str, Any] = safely_or(_namespace_of, function, {})
    return {name: _evaluated(each, namespace) for name, each in written.items() if each is not inspect.Parameter.empty}


def _namespace_of(function: Any) -> dict[str, Any]:
    """Return the globals of the code that a call runs in the end."""
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function)
    return getattr(function if hasattr(function, "__globals__") else type(function).__call__, "__globals__", {})


def _evaluated(annotation: object, namespace: dict[str, Any]) -> object:
    """Return what an annotation means that is written as text, where it names what can be found."""
    text = annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else annotation
    return safely_or(lambda each: eval(each, namespace), text, text) if isinstance(text, str) else text  # noqa: S307  (as `typing.get_type_hints` does)
