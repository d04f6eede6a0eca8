"""Declarations of room settings: what admins may write, how that is kept, and who declared it."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from filebot.errors import BadRoomSetting, PluginError
from filebot.model import JsonValue, SettingKey, size_bytes

V = TypeVar("V")
V_co = TypeVar("V_co", covariant=True)

OFF: Final = frozenset({"off", "no", "none", "never"})
_ON: Final = frozenset({"on", "yes"})
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LONGEST: Final = 100
"""Characters of a setting with its value; a longer one is refused, not read by its beginning."""


class SettingType(Protocol[V_co]):
    """Kind of values that a room setting has. Their values are JSON values."""

    @property
    def form(self) -> str:
        """An example, or the words that there are: ``20 MB``, ``present|members``."""

    @property
    def rank(self) -> int:
        """Position among the kinds, for lists of settings."""

    def parse(self, text: str) -> V_co:
        """Return the value that somebody wrote, in lower case. Raises ValueError."""

    def read(self, saved: JsonValue) -> V_co:
        """Return the value that was saved. Raises ValueError for one that is none of this kind."""


@dataclass(frozen=True, slots=True)
class OnOff:
    """``on`` or ``off``: True or False."""

    form: str = "on|off"
    rank: int = 0

    def parse(self, text: str) -> bool:
        """Return True or False."""
        if text not in _ON | OFF:
            raise ValueError(text)
        return text in _ON

    def read(self, saved: JsonValue) -> bool:
        """Return True or False."""
        if not isinstance(saved, bool):
            raise ValueError(saved)  # noqa: TRY004 - the value is to blame
        return saved


class Choice:
    """One of some words."""

    rank = 1

    def __init__(self, *words: str) -> None:
        """``words`` are in lower case."""
        self._words = words

    @property
    def form(self) -> str:
        """All of the words."""
        return "|".join(self._words)

    def parse(self, text: str) -> str:
        """Return one of the words."""
        return self.read(text)

    def read(self, saved: JsonValue) -> str:
        """Return one of the words."""
        if not isinstance(saved, str) or saved not in self._words:
            raise ValueError(saved)
        return saved


@dataclass(frozen=True, slots=True)
class ByteSize:
    """Size such as ``20 MB``: a number of bytes."""

    form: str = "20 MB"
    """Example of a value, for the help."""
    rank: int = 2
    """Position among the kinds, in lists of settings."""

    def parse(self, text: str) -> int:
        """Return the bytes."""
        return size_bytes(text)

    def read(self, saved: JsonValue) -> int:
        """Return the bytes."""
        return _whole(saved, 1, 2**63 - 1)


@dataclass(frozen=True, slots=True)
class Number:
    """Whole number of a unit: ``Number("day", most=365)`` takes ``90``, ``90d`` and ``90 days``."""

    unit: str
    """Word for one, such as ``day``."""
    most: int
    """Highest number allowed."""
    least: int = 1
    """Lowest number allowed."""
    example: int = 10
    """Number in the example for the help."""
    rank: int = 3
    """Position among the kinds, in lists of settings."""

    @property
    def form(self) -> str:
        """The example."""
        return f"{self.example} {self.unit}{'s' * (self.example != 1)}"

    def parse(self, text: str) -> int:
        """Return the number."""
        unit = re.escape(self.unit)
        number = re.fullmatch(rf"([0-9]{{1,18}})(?: ?(?:{unit[0]}|{unit}s?))?", text)
        if number is None:
            raise ValueError(text)
        return self.read(int(number[1]))

    def read(self, saved: JsonValue) -> int:
        """Return the number."""
        return _whole(saved, self.least, self.most)


def _whole(saved: JsonValue, least: int, most: int) -> int:
    if isinstance(saved, bool) or not isinstance(saved, int) or not least <= saved <= most:
        raise ValueError(saved)
    return saved


class RoomSetting(Generic[V]):
    """A setting of each room, as a plugin declared it. One whose default is None can be ``off``."""

    def __init__(
        self,
        plugin: str,
        name: str,
        kind: SettingType[Any],
        default: V,
        *,
        consent: bool = False,
        told: str = "",
        presence: str = "",
    ) -> None:
        """``plugin`` is empty for the core. Raises PluginError for what cannot be a setting.

        ``consent``: while it is on, its plugin is told what people post. It ends when its plugin is not
        loaded. ``told`` is a template that everybody in the room is told when the value changes, and
        ``presence`` one for the bot's presence there while it is on.
        """
        place = f"room setting {name!r} of plugin {plugin!r}"
        if not _NAME.fullmatch(name):
            raise PluginError(f"{place}: a name has lower-case letters, digits and single hyphens only")
        if consent and (not isinstance(kind, OnOff) or default is not False):
            raise PluginError(f"{place}: what needs consent is on or off, and off by default")
        if consent != bool(presence):
            raise PluginError(
                f"{place}: what needs consent, and nothing else, names a template for the bot's presence; "
                'write consent=True, presence="..."'
            )
        self.key = SettingKey(plugin, name)
        self.kind = kind
        self.default = default
        self.consent = consent
        self.told = told
        self.presence = presence
        try:
            self.read(default)  # type: ignore[arg-type]
        except ValueError as error:
            raise PluginError(f"{place}: {default!r} is no value for {self.form}") from error

    @property
    def name(self) -> str:
        """The word that people type."""
        return self.key.name

    @property
    def form(self) -> str:
        """How to write a value."""
        return f"{self.kind.form}|off" if self.default is None else self.kind.form

    @property
    def template(self) -> str:
        """The template that shows a ``value``."""
        return f"{self.key.plugin or 'room'}/setting_{self.name.replace('-', '_')}"

    def parse(self, text: str) -> Any:
        """Return the value that somebody wrote, in lower case. Raises ValueError."""
        return None if self.default is None and text in OFF else self.kind.parse(text)

    def read(self, saved: JsonValue) -> Any:
        """Return the value that was saved. Raises ValueError for one that is none of this setting."""
        return None if self.default is None and saved is None else self.kind.read(saved)


WHO_MAY_GET: Final = RoomSetting("", "who-may-get", Choice("present", "members"), "present")
"""Whether files are for everybody present, or for members of the room only."""
MAX_SIZE: Final = RoomSetting[int | None]("", "max-size", ByteSize(), None)
"""Largest file that the room takes, if that is less than the bot's own limit."""


class RoomSettingTable:
    """All settings that can be set: those of the core, and those of the plugins that are loaded."""

    def __init__(
        self, settings: Iterable[RoomSetting[Any]] = (), switched_off: Collection[str] = ()
    ) -> None:
        """``switched_off`` has the names of settings that the operator switched off.

        Raises PluginError if two have one name.
        """
        self._by_name: dict[str, RoomSetting[Any]] = {}
        core: tuple[RoomSetting[Any], ...] = (WHO_MAY_GET, MAX_SIZE)
        for each in (*core, *settings):
            other = self._by_name.setdefault(each.name, each)
            if other is not each:
                owners = " and ".join(repr(plugin or "filebot") for plugin in (other.key[0], each.key[0]))
                raise PluginError(f"{owners} both have a room setting {each.name!r}")
        self._by_key: Mapping[SettingKey, RoomSetting[Any]] = {
            each.key: each
            for each in sorted(
                self._by_name.values(), key=lambda one: (not one.consent, one.kind.rank, one.name)
            )
        }
        self._switched_off = frozenset(switched_off)

    def get(self, key: SettingKey) -> RoomSetting[Any] | None:
        """Return the setting of this key, or None."""
        return self._by_key.get(key)

    def all(self) -> Collection[RoomSetting[Any]]:
        """Return all settings: first what needs consent, then by kind and name."""
        return self._by_key.values()

    def parse(self, text: str) -> tuple[RoomSetting[Any], Any]:
        """Return the setting that somebody wrote, with its value. Raises BadRoomSetting."""
        words = text.strip()[: _LONGEST + 1].casefold()
        for name in self._by_name:
            if "-" in name and words.startswith(name.replace("-", " ") + " "):
                words = name + words[len(name) :]
        name, _, value = words.partition(" ")
        forms = {each.name: each.form for each in self.all()}
        setting = self._by_name.get(name)
        if setting is None:
            raise BadRoomSetting(name, value, known=name in self._switched_off, available=forms)
        wrong = BadRoomSetting(name, value, known=True, available=forms)
        if len(words) > _LONGEST:
            raise wrong
        try:
            return setting, setting.parse(value.strip())
        except ValueError as error:
            raise wrong from error
