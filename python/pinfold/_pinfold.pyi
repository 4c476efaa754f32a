"""The extension, as it is typed. Its classes are those of `pinfold`."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Literal, Optional, Union, final

@final
class Usage:
    """What a program used."""

    @property
    def fuel(self) -> Optional[int]:
        """Units of fuel, if they are counted."""
    @property
    def memory(self) -> int:
        """The most bytes of memory at one time."""
    @property
    def output(self) -> int:
        """Bytes that were written."""
    @property
    def time(self) -> float:
        """How many seconds it took."""

@final
class Console:
    """A place where a program writes texts and reads lines."""

    @staticmethod
    def capture(input: Union[str, bytes, None] = None) -> Console:
        """One that keeps what is written, for `text`. `input` is what there is to be read."""
    @staticmethod
    def inherit() -> Console:
        """The standard streams of this process, which are not `sys.stdout` and its like."""
    @property
    def text(self) -> str:
        """What was written, where it is kept."""
    @property
    def errors(self) -> str:
        """What was written where errors go."""

@final
class Dir:
    """A directory of the host, and what is below it: to read, and to change if it is `writable`."""

    def __new__(cls, path: Union[str, PathLike[str]], *, writable: bool = False) -> Dir: ...

@final
class Net:
    """Connections to named origins, which are opened when the program begins."""

    @staticmethod
    def connect(origin: str, *others: str) -> Net:
        """Connections to `HOST:PORT`. A name has to lead to a public address."""
    @staticmethod
    def listen(address: str) -> Net:
        """To be a server at `ADDRESS:PORT` of this host."""

@final
class Clock:
    """The time, in multiples of `resolution` seconds: a millisecond, if it is not said."""

    def __new__(cls, resolution: Optional[float] = None) -> Clock: ...

@final
class Random:
    """Random numbers."""

    def __new__(cls) -> Random: ...

@final
class Env:
    """Environment variables, which need not be those of this process."""

    def __new__(cls, variables: dict[str, str]) -> Env: ...

@final
class Args:
    """What a program is called with on a command line, without its name."""

    def __new__(cls, args: Sequence[str]) -> Args: ...

@final
class Granted:
    """An object that is granted as a capability."""

@final
class Capability:
    """An interface for programs, written in Fold, with the records and enums that it names. Behind it are objects of Python with methods of the
    same names. A class is made one by its annotations with `pinfold.capability`.

    >>> import pinfold
    >>> shop = pinfold.Capability('''
    ...     record Item { name: String, price: Float }
    ...     capability Shop { fn below(self, price: Float) -> List<Item> }
    ... ''')
    """

    def __new__(cls, declaration: str) -> Capability: ...
    def grant(self, object: Any) -> Granted:
        """An object to grant: one with methods of the names that are declared."""
    @property
    def declaration(self) -> str:
        """How programs see it, as text in Fold."""

@final
class Cancel:
    """Ends programs from another thread: all that run with it, and those that are run with it later."""

    def __new__(cls) -> Cancel: ...
    def cancel(self) -> None:
        """Ends what runs, and what is to run with it."""
    @property
    def is_cancelled(self) -> bool:
        """Whether it was cancelled."""

@final
class Program:
    """A compiled program, for any thread."""

    def needs(self) -> list[tuple[str, str]]:
        """What its `main` or its `needs` is handed: names and kinds of capabilities, in order."""
    def functions(self) -> list[str]:
        """The functions that can be called, as they are declared."""
    def run(self, **named: Any) -> Usage:
        """Runs it from its beginning to its end: `main`, or the script's statements."""
    def call(self, function: str, /, *arguments: Any) -> Any:
        """Calls a public function. Nothing is granted: for functions that take capabilities, see `session`."""
    def session(self, **named: Any) -> Session:
        """The program with what it is granted, for several calls."""
    def with_limits(
        self,
        *,
        fuel: Optional[int] = ...,
        memory: int = ...,
        deadline: Optional[float] = ...,
        stack: int = ...,
        output: int = ...,
        handles: int = ...,
    ) -> Program:
        """The same program with other limits: those that are named."""
    def with_cancel(self, cancel: Cancel) -> Program:
        """The same program, which ends when this is cancelled, too."""

@final
class Session:
    """A program with what it was granted, for one call after the other."""

    def call(self, function: str, /, *arguments: Any) -> Any:
        """Calls a public function; what it takes of capabilities is found among what was granted by its parameters' names."""
    def run(self) -> Usage:
        """Runs `main`, or the script's statements."""

@final
class Vm:
    """A machine that compiles programs, for any thread.

    Limits are those of each call: `fuel` (units; `None` counts none), `memory` (bytes), `deadline` (seconds; `None`: none), `stack` and `output`
    (bytes), `handles`. With `isolation="worker"` each program runs in a process of its own, which is locked down before it reads a byte of it.
    """

    def __new__(
        cls,
        *,
        isolation: Literal["process", "worker"] = "process",
        worker: Union[str, PathLike[str], None] = None,
        spare_workers: int = 0,
        tier: Literal["auto", "interpreter", "jit"] = "auto",
        capabilities: Sequence[Any] = ...,
        fuel: Optional[int] = ...,
        memory: int = ...,
        deadline: Optional[float] = ...,
        stack: int = ...,
        output: int = ...,
        handles: int = ...,
    ) -> Vm: ...
    def compile(self, name: str, source: str) -> Program:
        """Compiles a program that is one text. `name` is what messages call it."""
    def compile_modules(self, root: str, sources: Mapping[str, str]) -> Program:
        """Compiles a program of several texts by their paths; `root` is the path of the one that it begins with."""
    def compile_file(self, path: Union[str, PathLike[str]]) -> Program:
        """Compiles the program in a file, with the files of its package."""
