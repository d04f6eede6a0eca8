"""Replies: templates are rendered in the language of the reader, and sent.

There is one sandboxed Jinja2 environment for each language. English is the language of the templates
themselves; every other one is a gettext catalogue in ``filebot/locale``, checked in as text and compiled in
memory, so that there is no build step.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    DictLoader,
    FileSystemLoader,
    PrefixLoader,
    TemplatesNotFound,
    TemplateSyntaxError,
)

from filebot.concurrency.tasks import end
from filebot.errors import ConfigError, FilebotError, PluginError, StorageError
from filebot.failures import shown
from filebot.model import Address, AddressKind, Identity, Sender
from filebot.ports import Catalog, Messenger
from filebot.replies.captured import captured
from filebot.replies.catalogues import LANGUAGES, SOURCE, catalogues_in, translations
from filebot.replies.environment import TemplateEnvironment
from filebot.replies.explanations import explained
from filebot.replies.filters import present
from filebot.replies.hints import MarkedPrefix, commands_in, with_known_hints
from filebot.replies.overrides import SUFFIX, by_new_names, examine, mistakes_in, outdated_in

log = logging.getLogger(__name__)

COMPOSING_AFTER_S: Final = 0.5
"""Delay of the chat state: answers that come sooner need none."""

_TEMPLATES: Final = Path(__file__).parent.parent / "templates"
_SHIPPED: Final = "shipped"
"""Prefix, before a colon, of the template that came with filebot or a plugin: no override of it."""

_LONGEST_TAG: Final = 35
"""Characters of the longest language tag that is read (RFC 5646 4.4.1)."""

# One catalogue serves all Chinese: CLDR's language matching also prefers simplified characters to English
# for readers of traditional ones.
_RANGES: Final = {name.lower(): name for name in LANGUAGES} | {"zh": "zh_CN"}

_AS_TYPED: Final = {
    "english": "en",
    "英文": "en",
    "英语": "en",
    "英語": "en",
    "chinese": "zh_CN",
    "simplified chinese": "zh_CN",
    "mandarin": "zh_CN",
    "中文": "zh_CN",
    "简体": "zh_CN",
    "简体中文": "zh_CN",
    "汉语": "zh_CN",
    "漢語": "zh_CN",
}


class Replies:
    """Renderer of every text that the bot sends.

    Values are data: nothing in them is run as a template. The filters ``line`` and ``quoted`` keep a value
    on one line.
    """

    def __init__(
        self,
        default_language: str = SOURCE,
        overrides: Path | None = None,
        clock: Callable[[], datetime] = present,
    ) -> None:
        """``overrides`` is the operator's folder of templates, with the layout of ``filebot/templates``;
        ``clock`` gives the present (aware).

        Raises ConfigError if the bot does not speak the language, or a template of the folder cannot be
        used.
        """
        self._default = negotiated((default_language,), "")
        if not self._default:
            known = ", ".join(LANGUAGES)
            raise ConfigError((f"replies.language: {default_language} is not spoken; use one of: {known}",))
        self._inline: dict[str, str] = {}
        self._catalogues = {name: translations(name) for name in LANGUAGES}
        loader = _loader(self._inline, overrides)
        self._overrides = overrides
        self._files = frozenset(loader.list_templates())
        """Files of the templates in folders."""
        self._environments = {
            name: TemplateEnvironment(name, catalogue, loader, clock)
            for name, catalogue in self._catalogues.items()
        }
        if overrides is not None and (mistakes := tuple(mistakes_in(overrides, self._source))):
            raise ConfigError(mistakes)

    @property
    def _source(self) -> TemplateEnvironment:
        return self._environments[SOURCE]

    @property
    def languages(self) -> tuple[str, ...]:
        """Locale identifiers of the languages, the source language first."""
        return LANGUAGES

    def render(self, template: str, language: str, /, **values: object) -> str:
        """Return the text of ``template`` (``drop/stored``) in ``language``, or in the default language.

        Raises PluginError, with the template and its line, if there is none or it fails.
        """
        environment = self._environments[self.negotiate(language)]
        name = template + SUFFIX
        try:
            text = environment.get_template(name).render(values)
        except Exception as error:
            mistake = PluginError(explained(error, template, values, self._known))
            if self._overrides is None or not self.has(f"{_SHIPPED}:{template}"):
                raise mistake from error
            # An operator's slip must not leave people without an answer.
            log.error("%s; trying the one that came with it", shown(mistake), exc_info=error)
            try:
                text = environment.get_template(f"{_SHIPPED}:{name}").render(values)
            except Exception as failure:
                raise PluginError(explained(failure, template, values, self._known)) from failure
        return text.strip()

    def _known(self) -> list[str]:
        """Return the names of all templates."""
        return [name.removesuffix(SUFFIX) for name in self._source.list_templates() if ":" not in name]

    def add(self, prefix: str, templates: Mapping[str, str], locale: Path | None = None) -> None:
        """Add the templates of a plugin: ``{"usage": "..."}`` becomes ``prefix/usage``.

        ``locale`` is the folder of its catalogues, with the layout of ``filebot/locale`` and named
        ``prefix``. A message that filebot has as well keeps filebot's translation.

        Raises PluginError for a template that exists already or is not valid, or for a catalogue that
        cannot be read; nothing is added then.
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
        catalogues = {} if locale is None else catalogues_in(locale, prefix)
        for language, catalogue in catalogues.items():
            self._catalogues[language].add_fallback(catalogue)
        self._inline.update(added)

    def examine_values(self, text: str, /, **values: object) -> None:
        """Raise PluginError if a template of a plugin cannot be rendered with these values."""
        try:
            self._source.from_string(text).render(values)
        except Exception as error:
            raise PluginError(explained(error, "", values, self._known)) from error

    def has(self, template: str) -> bool:
        """Return whether there is a template of this name."""
        file = template + SUFFIX
        return file in self._inline or file in self._files

    def hinted_commands(self) -> frozenset[str]:
        """Return the commands that the templates tell people to type."""
        environment, found = self._source, set[str]()
        if (loader := environment.loader) is not None:
            for name in self._in_use():
                found |= commands_in(loader.get_source(environment, name)[0])
        return frozenset(found)

    def _in_use(self) -> list[str]:
        """Return the files of all templates; those that came with an override only if there are any."""
        names = self._source.list_templates(extensions=[SUFFIX.removeprefix(".")])
        return [name for name in names if self._overrides or not name.startswith(f"{_SHIPPED}:")]

    def load(self) -> None:
        """Compile all templates, and read the data of the filters.

        Later there may be no file descriptor left to open a template, just when that is to be reported.
        """
        for language, environment in self._environments.items():
            for name in self._in_use():
                environment.get_template(name)
            environment.load_words()
            log.debug("the words of %s are loaded", language)

    def outdated_overrides(self) -> tuple[str, ...]:
        """Return a line for each template of the operator's folder that is not used, or has old variables.

        Call it after the templates of all plugins were added.
        """
        if self._overrides is None:
            return ()
        shipped = f"{_SHIPPED}:"
        names = [name for name in self._source.list_templates() if name.startswith(shipped)]
        known = {name.removeprefix(shipped).removesuffix(SUFFIX) for name in names}
        return tuple(outdated_in(self._overrides, known, self._source))

    def negotiate(self, *wanted: str | None) -> str:
        """Return the first language that the bot speaks among some tags (``xml:lang``, a stored choice), or
        the default.
        """
        return negotiated(wanted, self._default)

    def parse_language(self, text: str) -> str | None:
        """Return the language for ``english``, ``zh`` or ``中文``; None if the bot does not speak it."""
        return as_typed(text)

    def template_for(self, error: FilebotError) -> str | None:
        """Return the template for this error, or for the nearest class above it; None if there is none.

        An error or its class names its own (``template``), or it is found by the name of the class.
        """
        own = [str(vars(error)["template"])] if "template" in vars(error) else []
        by_class = [
            vars(cls).get("template") or f"errors/{_snake_case(cls.__name__)}"
            for cls in type(error).__mro__
        ]
        names = [name + SUFFIX for name in (*own, *by_class)]
        try:
            found = str(self._source.select_template(names).name).removesuffix(SUFFIX)
        except TemplatesNotFound:
            found = None
        if error.template not in {"", found} and not self.has(error.template):
            log.error(
                "the error %s names a template that is not there: %s", type(error).__name__, error.template
            )
        return found


@dataclass(frozen=True, slots=True)
class ReplySender:
    """Renders templates and hands their texts to the messenger."""

    messenger: Messenger
    replies: Replies
    catalog: Catalog
    prefix: str = "!"
    """Prefix of commands in rooms, for templates that show commands as people type them."""
    is_command: Callable[[str], bool] | None = None
    """Whether there is a command of this name; hints at others are left out. None if there are no such."""

    async def language_of(self, person: Identity | None, client_language: str | None) -> str:
        """Return the language that somebody chose, or that of their client, or the default."""
        chosen = None
        with suppress(StorageError):  # an answer in another language is better than none
            chosen = await self.catalog.language(person) if person else None
        return self.replies.negotiate(chosen, client_language)

    def text(self, to: Address, language: str, template: str, /, **values: object) -> str:
        """Return a template's text for somebody."""
        return self._rendered(to, template, language, values)[0]

    async def say(self, to: Address, language: str, template: str, /, **values: object) -> str:
        """Say a template's text and return an id for it."""
        text, tag = self._rendered(to, template, language, values)
        return await self.messenger.say(to, text, language=tag)

    async def answer(self, sender: Sender, language: str, template: str, /, **values: object) -> str:
        """Say a template's text to somebody who has just spoken, and return an id for it.

        The id is empty if the person reads the text in a form.
        """
        text, tag = self._rendered(sender.address, template, language, values)
        if captured(sender, text, template, values):
            return ""
        return await self.messenger.say(sender.address, text, language=tag, answers=sender.message_ref)

    async def correct(
        self, message_id: str, to: Address, language: str, template: str, /, **values: object
    ) -> str:
        """Say a template's text in place of the message with this id; return the id of the correction.

        It is that of the message if there is no connection: a correction does not wait for the next one.
        """
        text, tag = self._rendered(to, template, language, values)
        return await self.messenger.say(to, text, language=tag, replaces=message_id)

    def words(self, error: FilebotError, language: str, *, name: str = "", action: str = "") -> str:
        """Return the text for an error that is sent in a refusal, not in a message."""
        template = self.replies.template_for(error) or "errors/transfer_error"
        return self.replies.render(template, language, error=error, name=name, action=action)

    @asynccontextmanager
    async def composing(self, to: Address, *, wanted: bool) -> AsyncIterator[None]:
        """Show that an answer is on its way if it takes a moment (XEP-0085); never in rooms.

        ``wanted`` tells whether the client takes part in chat states.
        """
        if not wanted or to.kind is not AddressKind.CHAT:
            yield
            return
        sign = asyncio.create_task(self._compose(to))
        try:
            yield
        finally:
            await end([sign])

    async def _compose(self, to: Address) -> None:
        await asyncio.sleep(COMPOSING_AFTER_S)
        try:
            await self.messenger.composing(to, active=True)
            await asyncio.Event().wait()
        finally:
            await self.messenger.composing(to, active=False)

    def _rendered(
        self, to: Address, template: str, language: str, values: Mapping[str, object]
    ) -> tuple[str, str]:
        """Return the text, and its language as a tag (RFC 5646)."""
        prefix = self.prefix if to.kind is AddressKind.ROOM else ""
        tag = language.replace("_", "-")
        if self.is_command is None:
            return self.replies.render(template, language, **{"prefix": prefix, **values}), tag
        text = self.replies.render(template, language, **{"prefix": MarkedPrefix(prefix), **values})
        return with_known_hints(text, prefix, self.is_command), tag


def negotiated(wanted: tuple[str | None, ...], default: str) -> str:
    """Return the first of ``wanted`` (BCP 47 tags, locale identifiers) that the bot speaks, else
    ``default``.
    """
    ranges = (part for tag in wanted if tag for part in _ever_shorter(tag))
    return next((_RANGES[part] for part in ranges if part in _RANGES), default)


def as_typed(text: str) -> str | None:
    """Return the language that a person names by a tag or a word, or None."""
    word = " ".join(text.casefold().split())
    return _AS_TYPED.get(word) or negotiated((word,), "") or None


def _ever_shorter(tag: str) -> list[str]:
    """Return the tag and its prefixes, longest first (RFC 4647 3.4, lookup)."""
    parts = tag[:_LONGEST_TAG].strip().replace("-", "_").split("_")
    return ["_".join(parts[:count]).lower() for count in range(len(parts), 0, -1)]


def _loader(inline: Mapping[str, str], overrides: Path | None) -> BaseLoader:
    shipped = ChoiceLoader([FileSystemLoader(_TEMPLATES), DictLoader(inline)])
    by_prefix = PrefixLoader({_SHIPPED: shipped}, delimiter=":")
    own = [FileSystemLoader(overrides), DictLoader(by_new_names(overrides))] if overrides else []
    return ChoiceLoader([*own, shipped, by_prefix])


def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
