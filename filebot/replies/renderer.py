"""Finds templates and renders them, one sandboxed Jinja2 environment for each language."""

import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    DictLoader,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateError,
    TemplatesNotFound,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from filebot.errors import ConfigError, FilebotError, PluginError
from filebot.replies import languages
from filebot.replies.filters import Phrases, load_words, present
from filebot.replies.overrides import SUFFIX, examine, mistakes_in, outdated_in

log = logging.getLogger(__name__)

_TEMPLATES: Final = Path(__file__).parent.parent / "templates"
_SHIPPED: Final = "shipped"
"""Before a template's name and a colon: the one that came with filebot or its plugin."""


class Replies:
    """Renderer of every text that the bot sends.

    Values are data: nothing in them is run as a template. A value that should stay on its line goes
    through ``line`` or ``quoted``.
    """

    def __init__(
        self,
        default_language: str = languages.SOURCE,
        overrides: Path | None = None,
        clock: Callable[[], datetime] = present,
    ) -> None:
        """``overrides`` is the operator's folder of templates, laid out as ours is; ``clock`` gives the
        moment (aware) from which templates count.

        Raises ConfigError if the language is not spoken, or a template of the folder cannot be used.
        """
        self._default = languages.negotiated((default_language,), "")
        if not self._default:
            known = ", ".join(languages.LANGUAGES)
            raise ConfigError((f"replies.language: {default_language} is not spoken; use one of: {known}",))
        self._inline: dict[str, str] = {}
        loader = _loader(self._inline, overrides)
        self._overrides = overrides
        self._environments = {name: _environment(name, loader, clock) for name in languages.LANGUAGES}
        if overrides is not None and (mistakes := tuple(mistakes_in(overrides, self._source))):
            raise ConfigError(mistakes)

    @property
    def _source(self) -> ImmutableSandboxedEnvironment:
        return self._environments[languages.SOURCE]

    @property
    def languages(self) -> tuple[str, ...]:
        """Locale identifiers of the languages, the source language first."""
        return languages.LANGUAGES

    def render(self, template: str, language: str, /, **values: object) -> str:
        """Return the text of ``template`` (``drop/stored``) in ``language``, or in the default language.

        Raises LookupError (jinja2.TemplateNotFound) if there is no such template.
        """
        environment = self._environments[self.negotiate(language)]
        name = template + SUFFIX
        try:
            text = environment.get_template(name).render(values)
        except TemplateError:
            shipped = environment.get_template(f"{_SHIPPED}:{name}")
            # An operator's slip must not leave people without an answer.
            log.exception("template %s failed, trying the one that came with it", name)
            text = shipped.render(values)
        return text.strip()

    def add(self, prefix: str, templates: Mapping[str, str]) -> None:
        """Take the inline templates of a plugin: ``{"usage": "..."}`` becomes ``prefix/usage``.

        Raises PluginError for a template that exists already or that is not one; none is taken then.
        """
        added = {f"{prefix}/{name}{SUFFIX}": text for name, text in templates.items()}
        for name, (file, text) in zip(templates, added.items(), strict=True):
            if file in self._inline or (_TEMPLATES / file).exists():
                raise PluginError(f"{prefix}: there is a template {prefix}/{name} already")
            try:
                examine(self._source, text)
            except TemplateSyntaxError as error:
                raise PluginError(
                    f"{prefix}: template {name}, line {error.lineno}: {error.message}"
                ) from error
        self._inline.update(added)

    def load(self) -> None:
        """Compile every template, and read what the filters need.

        Later there may be no file descriptor left to open one, just when there is something to say.
        """
        for language, environment in self._environments.items():
            for name in environment.list_templates(extensions=[SUFFIX.removeprefix(".")]):
                if self._overrides or not name.startswith(f"{_SHIPPED}:"):
                    environment.get_template(name)
            load_words(environment.filters)
            log.debug("the words of %s are loaded", language)

    def outdated_overrides(self) -> tuple[str, ...]:
        """Return a line for each template of the operator's folder that is in no use, or has old variables.

        To be asked when the templates of all plugins were added.
        """
        if self._overrides is None:
            return ()
        shipped = f"{_SHIPPED}:"
        names = [name for name in self._source.list_templates() if name.startswith(shipped)]
        known = {name.removeprefix(shipped).removesuffix(SUFFIX) for name in names}
        return tuple(outdated_in(self._overrides, known, self._source))

    def negotiate(self, *wanted: str | None) -> str:
        """Return the first spoken language of some tags (``xml:lang``, a stored choice), or the default."""
        return languages.negotiated(wanted, self._default)

    def parse_language(self, text: str) -> str | None:
        """Return the language for ``english``, ``zh`` or ``中文``; None if the bot does not speak it."""
        return languages.as_typed(text)

    def template_for(self, error: FilebotError) -> str | None:
        """Return the template for this error, or for the nearest class above it; None if there is none."""
        names = [f"errors/{_snake_case(cls.__name__)}{SUFFIX}" for cls in type(error).__mro__]
        try:
            found = self._source.select_template(names)
        except TemplatesNotFound:
            return None
        return str(found.name).removesuffix(SUFFIX)


def _loader(inline: Mapping[str, str], overrides: Path | None) -> BaseLoader:
    shipped = ChoiceLoader([FileSystemLoader(_TEMPLATES), DictLoader(inline)])
    by_prefix = PrefixLoader({_SHIPPED: shipped}, delimiter=":")
    return ChoiceLoader([*([FileSystemLoader(overrides)] if overrides else []), shipped, by_prefix])


def _environment(
    language: str, loader: BaseLoader, clock: Callable[[], datetime]
) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
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
    environment.globals["prefix"] = ""
    catalogue = languages.translations(language)
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]
    environment.filters.update(Phrases(language, catalogue, clock).filters())
    return environment


def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
