"""Classes of Python as capabilities: how annotations are written in Fold."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from typing import Any, TypeVar

from . import _types
from ._pinfold import Capability

_Class = TypeVar("_Class", bound=type)

_PLAIN = {
    int: "Int",
    float: "Float",
    bool: "Bool",
    str: "String",
    bytes: "Bytes",
    None: "()",
    type(None): "()",
    _types.Char: "Char",
}
_OF = {list: "List", set: "Set", frozenset: "Set", dict: "Map", _types.Result: "Result"}
_UNIONS = (typing.Union, getattr(types, "UnionType", typing.Union))


def capability(cls: _Class) -> _Class:
    """Makes a class a capability: an interface for programs, of its public methods, whose types are their annotations.

    Programs import it from the module `host`; objects of the class can be granted.

    >>> import pinfold
    >>> @pinfold.capability
    ... class Counter:
    ...     '''Counts.'''
    ...     def __init__(self):
    ...         self.sum = 0
    ...     def add(self, count: int) -> int:
    ...         self.sum += count
    ...         return self.sum
    >>> print(Counter.__pinfold__.declaration, end="")
    /// Counts.
    pub capability Counter {
        fn add(self, count: Int) -> Int
    }
    >>> counter = Counter()
    >>> usage = pinfold.run("import host\\nneeds counter: host.Counter\\ncounter.add(2)\\ncounter.add(3)", counter=counter)
    >>> counter.sum
    5

    `int`, `float`, `bool`, `str`, `bytes`, `None`, `list[T]`, `set[T]`, `dict[K, V]`, tuples, `Optional[T]`, data classes, `pinfold.Char`
    and `pinfold.Result[T]` can be annotated. What a method raises ends the program, as the cause of a `pinfold.Error`; where its
    result is a `Result`, it is an `Err` that the program can deal with.
    """
    cls.__pinfold__ = Capability(_declaration(cls))  # type: ignore[attr-defined]
    return cls


def _declaration(cls: type) -> str:
    records: dict[type, str] = {}
    lines = [*_doc(cls, ""), f"capability {cls.__name__} {{"]
    for name, method in vars(cls).items():
        if name.startswith("_") or not inspect.isfunction(method):
            continue
        types_of, params = typing.get_type_hints(method), []
        for param in list(inspect.signature(method).parameters.values())[1:]:
            if param.kind is not param.POSITIONAL_OR_KEYWORD or param.name not in types_of:
                raise TypeError(f"{cls.__name__}.{name}: {param.name} is no parameter with a type")
            params.append(f", {param.name}: {_written(types_of[param.name], records)}")
        result = _written(types_of.get("return"), records)
        lines += [*_doc(method, "    "), f"    fn {name}(self{''.join(params)}) -> {result}"]
    return "\n".join([*records.values(), *lines, "}"])


def _doc(of: Any, indent: str) -> list[str]:
    # A data class has one by itself.
    text = inspect.cleandoc(of.__doc__) if of.__doc__ else ""
    return [f"{indent}/// {line}" for line in text.splitlines()]


def _written(ty: Any, records: dict[type, str]) -> str:
    """A type as it is written in Fold; data classes are added to the records."""
    try:
        if ty in _PLAIN:
            return _PLAIN[ty]
    except TypeError:
        pass
    origin, args = typing.get_origin(ty), typing.get_args(ty)
    if origin in _UNIONS and len(args) == 2 and type(None) in args:
        inner = args[0] if args[1] is type(None) else args[1]
        return f"Option<{_written(inner, records)}>"
    if origin is tuple and Ellipsis not in args:
        return f"({', '.join(_written(arg, records) for arg in args)})"
    if origin in _OF:
        return f"{_OF[origin]}<{', '.join(_written(arg, records) for arg in args)}>"
    if isinstance(ty, type) and dataclasses.is_dataclass(ty):
        if ty not in records:
            records[ty] = ""
            types_of = typing.get_type_hints(ty)
            fields = (f"{field.name}: {_written(types_of[field.name], records)}" for field in dataclasses.fields(ty))
            records[ty] = f"record {ty.__name__} {{ {', '.join(fields)} }}"
        return ty.__name__
    raise TypeError(f"{ty!r} is no type that crosses")
