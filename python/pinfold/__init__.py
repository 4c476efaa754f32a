"""Programs in Fold, run by Python: nothing is granted, and everything bounded, unless you say otherwise.

>>> import pinfold
>>> out = pinfold.Console.capture()
>>> usage = pinfold.run('needs out: Console\\nout.print("hello")', out=out)
>>> out.text
'hello\\n'

>>> vm = pinfold.Vm(fuel=50_000_000, memory=64 << 20, deadline=2)
>>> program = vm.compile("report.fold", "pub fn score(word: String, weight: Int) -> Int { word.len() * weight }")
>>> program.call("score", "abc", 3)
9
"""

from __future__ import annotations

from typing import Any, Optional

from ._capability import capability
from ._pinfold import (
    Args,
    Cancel,
    Capability,
    Clock,
    Console,
    Dir,
    Env,
    Granted,
    Net,
    Program,
    Random,
    Session,
    Usage,
    Vm,
)
from ._types import Char, Err, Error, Frame, Ok, Place, Record, Result, Some, Variant

__all__ = [
    "Args",
    "Cancel",
    "Capability",
    "Char",
    "Clock",
    "Console",
    "Dir",
    "Env",
    "Err",
    "Error",
    "Frame",
    "Granted",
    "Net",
    "Ok",
    "Place",
    "Program",
    "Random",
    "Record",
    "Result",
    "Session",
    "Some",
    "Usage",
    "Variant",
    "Vm",
    "capability",
    "run",
]

_SETTINGS = ("isolation", "worker", "tier", "fuel", "memory", "deadline", "stack", "output", "handles")


def run(
    source: str, /, *, name: str = "program.fold", grants: Optional[dict[str, Any]] = None, **named: Any
) -> Usage:
    """Compiles a program, and runs it from its beginning to its end.

    What is named is a setting of `Vm` (`isolation`, `worker`, `tier`, `fuel`, `memory`, `deadline`, `stack`, `output`, `handles`), or granted
    under that name; `grants` are granted too, whatever they are called. Classes that are capabilities are found by their
    objects.

    >>> import pinfold
    >>> try:
    ...     pinfold.run("while true {}", fuel=1000)
    ... except pinfold.Error as error:
    ...     print(error.code)
    limit.fuel
    """
    settings = {setting: named.pop(setting) for setting in _SETTINGS if setting in named}
    granted = {**named, **(grants or {})}
    classes = {type(grant): None for grant in granted.values() if hasattr(type(grant), "__pinfold__")}
    return Vm(capabilities=list(classes), **settings).compile(name, source).run(**granted)
