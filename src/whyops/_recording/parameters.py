"""The parameters of a function, and what their annotations mean, as far as that can be told.

From Python 3.14 on, an annotation that names what is not there yet, or what is there for type checkers alone, is no fault until somebody
asks for its value: then it raises NameError. What is asked here never does.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

from .._runtime.safely import Failed, safely

if sys.version_info >= (3, 14):
    from annotationlib import Format, ForwardRef

    def _as_written(function: Callable[..., Any]) -> inspect.Signature:
        """Return the signature, no annotation of it evaluated."""
        return inspect.signature(function, annotation_format=Format.STRING)

    def _as_meant(function: Callable[..., Any]) -> inspect.Signature:
        """Return the signature with what can be evaluated now."""
        return inspect.signature(function, annotation_format=Format.FORWARDREF)

    def _text_of(annotation: object) -> object:
        return annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else annotation
else:
    _as_written = _as_meant = inspect.signature

    def _text_of(annotation: object) -> object:
        return annotation


def parameters_of(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return the parameters, or a catch-all for what doesn't tell its own. Their annotations may be text."""
    signature = safely(_as_written, function)
    if isinstance(signature, Failed):
        return [inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL), inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)]
    return list(signature.parameters.values())


def annotations_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotations by name, the one of the result under `return`; one that can't be evaluated now stays text."""
    signature = safely(_as_meant, function)
    if isinstance(signature, Failed):
        return {}
    written = {parameter.name: parameter.annotation for parameter in signature.parameters.values()}
    written["return"] = signature.return_annotation
    found = safely(_namespace_of, function)
    namespace = {} if isinstance(found, Failed) else found
    return {name: _evaluated(_text_of(each), namespace) for name, each in written.items() if each is not inspect.Parameter.empty}


def _namespace_of(function: Any) -> dict[str, Any]:
    """Return the globals of the code that a call runs in the end."""
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function)
    called = function if hasattr(function, "__globals__") else type(function).__call__
    return getattr(called, "__globals__", {})


def _evaluated(annotation: object, namespace: dict[str, Any]) -> object:
    """Return what an annotation means that is written as text, where it names what can be found."""
    if not isinstance(annotation, str):
        return annotation
    meant = safely(lambda text: eval(text, namespace), annotation)  # noqa: S307  (as `typing.get_type_hints` does)
    return annotation if isinstance(meant, Failed) else meant
