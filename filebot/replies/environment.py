"""Sandboxed environment of the templates in one language, with a cache of what they are compiled to."""

from collections.abc import Callable
from datetime import datetime
from functools import partial, wraps
from gettext import NullTranslations
from types import CodeType
from typing import Any, Final, ParamSpec, TypeVar

from jinja2 import BaseLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from filebot.concurrency.lru import ContentCache
from filebot.replies.filters import Phrases, load_words

P = ParamSpec("P")
T = TypeVar("T")

_CODES: Final = ContentCache[CodeType](1_000_000)
"""Compiled templates of all languages: about three times what filebot and its plugins have."""


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """Environment whose options are the same for every language, and so is the code of a template.

    Templates are compiled once in the life of a process, unless they change: each reload of the bot makes
    new environments, and most templates are what they were.
    """

    def __init__(
        self, language: str, catalogue: NullTranslations, loader: BaseLoader, clock: Callable[[], datetime]
    ) -> None:
        super().__init__(
            loader=loader,
            autoescape=False,  # the result is plain text; the rim escapes it as XML
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
            extensions=["jinja2.ext.i18n"],
        )
        # Prefix of commands, unless the caller of render() gives another.
        self.globals["prefix"] = ""
        self.policies["ext.i18n.trimmed"] = True
        self.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]
        self._phrases = Phrases(language, catalogue, clock).filters()
        self.filters.update({name: _when_rendered(each) for name, each in self._phrases.items()})

    def load_words(self) -> None:
        """Read the data of the filters from the disk."""
        load_words(self._phrases)

    def compile(
        self,
        source: Any,
        name: str | None = None,
        filename: str | None = None,
        raw: bool = False,
        defer_init: bool = False,
    ) -> Any:
        """Return the code of a template; see :class:`jinja2.Environment`."""
        compiled: Callable[..., Any] = super().compile
        make = partial(compiled, source, name, filename, raw, defer_init)
        if raw or defer_init or not isinstance(source, str):
            return make()
        return _CODES.get(source, make, name, filename)


def _when_rendered(function: Callable[P, T]) -> Callable[..., T]:
    """Return a filter that jinja2 never applies while it compiles.

    Otherwise the words of one language, or a time, would be in the code.
    """

    @pass_context
    @wraps(function)
    def apply(_: Context, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return function(*args, **kwargs)

    return apply
