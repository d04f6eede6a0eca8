"""Failures of plugins' functions: whose they are, where they happened, and one way to log them.

The first line of each names the plugin, its function, and the file and line of its code. It shows neither
the settings of the plugin nor passwords of URLs.
"""

import inspect
import logging
import re
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from types import CodeType
from typing import Final, TypeVar

from rapidfuzz import fuzz, process

from filebot.concurrency.bounded_call import TimeLimitExceeded
from filebot.errors import PluginError

E = TypeVar("E", bound=Exception)

log = logging.getLogger(__name__)

MOST_SHOWN: Final = 500
"""Characters of an error that a line of the log shows."""
MOST_CAUSES: Final = 20
"""Errors that are looked at because they led to one another."""
SHORTEST_SECRET: Final = 4
"""Characters of the shortest setting that is kept out of the log; a shorter one is part of many words."""
SIMILAR: Final = 70
"""Score from which on a name may be meant by another."""

_PASSWORD: Final = re.compile(r"(?<=://)[^/\s@]+(?=@)")
_ORIGIN: Final = "filebot_origin"
"""Key among the attributes of an error; an assignment could be refused by its class."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Function of a plugin, to say whose an error is."""

    plugin: str
    hook: str
    """Description of the function: ``command 'roll'``; empty if it is not known."""
    code: CodeType | None = None
    settings: object = None
    """Settings of the plugin, whose values are not logged."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Error of a plugin, or of the bot itself, that is logged and stops nothing."""

    plugin: str
    """Name of the plugin; empty for the bot itself."""
    hook: str
    place: str
    """File and line of the plugin's code, or of the bot's."""
    line: str
    """First line in the log, without what became of it."""
    error: Exception


_observer: Final[ContextVar[Callable[[Failure], None] | None]] = ContextVar("_observer", default=None)


@contextmanager
def observed(observer: Callable[[Failure], None]) -> Iterator[None]:
    """Call ``observer`` with each failure that is logged within, also in tasks that begin within."""
    token = _observer.set(observer)
    try:
        yield
    finally:
        _observer.reset(token)


def origin_of(plugin: str, hook: str, function: object = None, settings: object = None) -> Origin:
    """Return the origin of errors of a function, or of what it returned when it was called."""
    return Origin(plugin, hook, _code_of(function), settings)


def blame(error: E, origin: Origin) -> E:
    """Note whose an error is, unless that is noted already; return it."""
    if _noted(error) is None:
        vars(error)[_ORIGIN] = origin
    return error


@contextmanager
def blamed(origin: Origin) -> Iterator[None]:
    """Note whose the errors are that are raised within."""
    try:
        yield
    except Exception as error:
        blame(error, origin)
        raise


def report(
    error: Exception,
    outcome: str = "",
    *,
    plugin: str = "",
    level: int = logging.ERROR,
    with_traceback: bool = True,
) -> Failure:
    """Log an error in the one way there is, and return what was logged.

    ``outcome`` tells in front what became of it: ``incident 4f2a1c``. ``plugin`` is to blame if nobody else
    is noted.
    """
    failure = failure_of(error, plugin=plugin)
    message = f"{outcome}: {failure.line}" if outcome else failure.line
    if log.isEnabledFor(level):
        trace = (type(error), error, error.__traceback__) if with_traceback else None
        record = log.makeRecord(log.name, level, __file__, 0, "%s", (message,), trace)
        if trace is not None:
            record.exc_text = _traceback_of(error)
        log.handle(record)
    if (observer := _observer.get()) is not None:
        observer(failure)
    return failure


def failure_of(error: Exception, *, plugin: str = "") -> Failure:
    """Return whose an error is, where it happened, and the line that tells of it."""
    origin = _noted(error) or Origin(plugin, "")
    place, text = _place(error, origin), shown(error)
    whose = [f"plugin {origin.plugin}"] if origin.plugin else []
    whose += [origin.hook] if origin.hook else []
    # Some errors say it themselves.
    text = text.removeprefix(f"plugin {origin.plugin!r}, {origin.hook}: ")
    start = ", ".join([*whose, *([place] if place else [])])
    line = f"{start}: {text}" if start else text
    return Failure(origin.plugin, origin.hook, place, line, error)


def shown(error: BaseException) -> str:
    """Return the text of an error on one line, without secrets, and with its class unless that says
    nothing more.
    """
    leaf = _leaf(error)
    try:
        text = _without_secrets(" ".join(str(leaf).split()), _noted(error))[:MOST_SHOWN]
    except Exception:  # noqa: BLE001 - an error of a plugin's own may have no text
        text = ""
    if not isinstance(leaf, PluginError | TimeLimitExceeded):
        text = f"{type(leaf).__name__}: {text}".rstrip(": ")
    return text + _hint(leaf)


def placed(error: BaseException, roots: Collection[str] = ()) -> str:
    """Return the text of an error, with file and line of the code that led to it.

    That is code in one of these files or folders, or else in the function that is noted as its origin.
    """
    text = shown(error)
    place = place_in(error, roots)
    if not roots and isinstance(error, Exception):
        place = failure_of(error).place
    # Some errors say it themselves.
    return text if not place or place.rpartition(",")[0] in text else f"{text} ({place})"


def place_in(error: BaseException, roots: Collection[str]) -> str:
    """Return file and line of the innermost code that led to an error and is in one of these files or
    folders; empty if there is none.
    """
    for each in _causes(error):
        frames = traceback.extract_tb(each.__traceback__)
        own = [frame for frame in frames if _is_in(frame.filename, roots)]
        if own:
            return f"{own[-1].filename}, line {own[-1].lineno}"
    return ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that names what is most similar; empty if nothing is."""
    match = process.extractOne(word, sorted(known), scorer=fuzz.ratio, score_cutoff=SIMILAR)
    return f"; did you mean {match[0]!r}?" if match else ""


def _code_of(function: object) -> CodeType | None:
    """Return the code of a function, or of a coroutine or generator."""
    function = inspect.unwrap(function) if callable(function) else function
    for name in ("__code__", "cr_code", "ag_code", "gi_code"):
        code = getattr(function, name, None)
        if isinstance(code, CodeType):
            return code
    return None


def _noted(error: BaseException) -> Origin | None:
    """Return whose an error is, or the one that it was raised from."""
    for each in _causes(error, with_context=False):
        if isinstance(origin := vars(each).get(_ORIGIN), Origin):
            return origin
    return None


def _causes(error: BaseException, *, with_context: bool = True) -> Iterator[BaseException]:
    """Yield an error and those that led to it; of a group first the first error in it.

    Errors that were only being handled when it was raised are left out unless ``with_context``.
    """
    cause: BaseException | None = error
    for _ in range(MOST_CAUSES):
        if cause is None:
            return
        if (leaf := _leaf(cause)) is not cause:
            yield leaf
        yield cause
        cause = cause.__cause__ or (cause.__context__ if with_context else None)


def _leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _place(error: Exception, origin: Origin) -> str:
    """Return where an error happened: in the plugin's code, at least at its function."""
    if origin.code is None:
        frames = traceback.extract_tb(_leaf(error).__traceback__)
        return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else ""
    file = origin.code.co_filename
    return place_in(error, (_root(file),)) or f"{file}, line {origin.code.co_firstlineno}"


def _root(file: str) -> str:
    """Return the folder of the package that a file is in, or else the file."""
    folder, root = Path(file).parent, file
    while (folder / "__init__.py").is_file():
        folder, root = folder.parent, str(folder)
    return root


def _is_in(file: str, roots: Collection[str]) -> bool:
    return any(file == root or file.startswith(f"{root}/") for root in roots)


def _traceback_of(error: Exception) -> str:
    try:
        text = "".join(traceback.format_exception(error)).rstrip()
    except Exception:  # noqa: BLE001 - a plugin's error may not be printable
        text = "".join(traceback.format_tb(error.__traceback__)).rstrip()
    return _without_secrets(text, _noted(error))


def _without_secrets(text: str, origin: Origin | None) -> str:
    secrets = dict(_texts("", None if origin is None else origin.settings))
    for secret in sorted(secrets, key=len, reverse=True):  # one may be part of another
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, f"<setting {secrets[secret]}>")
    return _PASSWORD.sub("...", text)


def _texts(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield the texts in a setting, each with the name of the setting."""
    if is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from _texts(name or each.name, getattr(value, each.name))
    elif isinstance(value, str):
        yield value, name
    elif isinstance(value, bytes):
        yield value.decode(errors="replace"), name
    elif callable(revealed := getattr(value, "get_secret_value", None)):
        yield from _texts(name, revealed())
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(name, each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _texts(name, each)


def _hint(error: BaseException) -> str:
    """Return what to change, for mistakes that say so."""
    if type(error) in {AttributeError, TypeError} and "'coroutine' object" in str(error):
        return "; is there an await missing?"
    if type(error) is AttributeError and error.name and error.obj is not None:
        return did_you_mean(error.name, (each for each in dir(error.obj) if not each.startswith("_")))
    return ""
