"""What values and errors are in Python."""

from __future__ import annotations

import json
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, NewType, Optional, TypeVar, Union

if TYPE_CHECKING:
    from ._pinfold import Usage

#: A `Char` of Fold, in annotations of capabilities: a text of one character.
Char = NewType("Char", str)


class Place(NamedTuple):
    """A place in a source: lines and columns are counted from 1."""

    file: str
    line: int
    column: int


class Frame(NamedTuple):
    """Where a program was: a function, and the place in it if that is known."""

    function: str
    place: Optional[Place]


class Error(Exception):
    """What went wrong with a program. `code` does not change, the text is for people.

    >>> import pinfold
    >>> try:
    ...     pinfold.Vm().compile("wrong.fold", "pub fn one() -> Int { true }")
    ... except pinfold.Error as error:
    ...     print(error.code, error.findings[0]["message"])
    F0301 expected `Int`, found `Bool`
    """

    #: A word: `panicked`, `failed`, `limit.fuel`, `not_granted`, `type`, `host`, `worker` …, of a source that is wrong
    #: the code of the first finding.
    code: str
    #: What is wrong with a source: dictionaries with `code`, `severity`, `message`, `spans`, `notes`, `help`, `edits`, `text`.
    findings: list[dict[str, Any]]
    #: Where the program was when it was ended, the newest first.
    stack: list[Frame]
    #: What it had used, if it ran.
    usage: Optional[Usage]

    def __init__(
        self,
        message: str,
        *,
        code: str = "host",
        findings: str = "[]",
        stack: list[tuple[str, Optional[tuple[str, int, int]]]] = [],
        usage: Optional[Usage] = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.findings = json.loads(findings)
        self.stack = [Frame(function, place and Place(*place)) for function, place in stack]
        self.usage = usage


@dataclass(frozen=True)
class Ok:
    """A `Result` that is good."""

    value: Any = None

    def unwrap(self) -> Any:
        """What is in it."""
        return self.value


@dataclass(frozen=True)
class Err:
    """A `Result` that is an error."""

    value: Any = None

    def unwrap(self) -> Any:
        """Raises `pinfold.Error` with the code `failed`."""
        raise Error(str(self.value), code="failed")


@dataclass(frozen=True)
class Some:
    """An `Option` that holds what would be `None` by itself: `Some(None)` of an `Option<Option<T>>`. Others are what they hold."""

    value: Any = None


class Record(dict):  # type: ignore[type-arg]
    """A record of Fold: a `dict` of its fields, which are attributes too.

    >>> Record(title="pins").title
    'pins'
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Variant:
    """A variant of an enum: its name, and its fields by their names, or by their places from "0" on where they have none.

    >>> Variant("Circle", 1.5) == Variant("Circle", 1.5)
    True
    >>> Variant("Rect", w=1.0, h=2.0).fields["w"]
    1.0
    """

    __match_args__ = ("name", "fields")
    __slots__ = ("name", "fields")

    def __init__(self, name: str, /, *parts: Any, **fields: Any) -> None:
        self.name = name
        self.fields = {**{str(place): part for place, part in enumerate(parts)}, **fields}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Variant) and (self.name, self.fields) == (other.name, other.fields)

    def __hash__(self) -> int:
        return hash((self.name, *self.fields.items()))

    def __repr__(self) -> str:
        parts = [f"{value!r}" if name.isdigit() else f"{name}={value!r}" for name, value in self.fields.items()]
        return f"Variant({', '.join([repr(self.name), *parts])})"


if TYPE_CHECKING:
    _T = TypeVar("_T")
    Result = Union[_T, Ok, Err]
else:

    class Result:
        """In annotations of capabilities: a value, or an error, which is what the method raises."""

        __class_getitem__ = classmethod(types.GenericAlias)
