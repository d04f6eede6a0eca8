"""Filters of templates: sizes, dates, durations and media types in words."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from gettext import NullTranslations
from typing import Any, Final

import humanize
from babel import Locale
from babel.dates import format_date, format_timedelta
from babel.lists import format_list

from filebot.filenames import isolated, plain_text
from filebot.model import MACROS_PARAMETER, Entry
from filebot.replies.media_type_names import FORMATS, NAMED, PREFIXES, WITH_MACROS

_RECENT: Final = timedelta(days=7)
"""Longest distance shown in units of time; beyond it a date is shown."""

_LONGEST_TYPED: Final = 100
"""Most characters of a name that somebody is asked to type."""

_READ_OTHERWISE: Final = re.compile(
    r"""^["'“”„«‘’`#]|["'“”„«»‘’`]$|[*?？]|\s(?:by|to|with)\s|^\d+$|^(?:last|all)$""", re.IGNORECASE
)
"""Names that a command could take for something else: quoted, a pattern, a number, or followed by more."""

_LONGEST_LINE: Final = 1_000
"""Most characters on a line, far more than a name has."""


def line(value: object) -> str:
    """Return any value on one line, without characters that hide or reorder others.

    What runs from right to left is isolated: the direction of a name must not change its sentence.
    """
    text = str(value)[:_LONGEST_LINE]
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()  # as most names are: nothing hides in it
    return isolated(plain_text(text))


def typed(entry: Entry) -> str:
    """Return a file within a command that people type: its name, or its number where the name would be
    read otherwise than as a name.
    """
    name = entry.name
    is_plain = len(name) <= _LONGEST_TYPED and plain_text(name) == name and not _READ_OTHERWISE.search(name)
    return line(name) if is_plain else f"#{entry.id}"


def present() -> datetime:
    """Return the present, in UTC."""
    return datetime.now(UTC)


def load_words(filters: Mapping[str, Callable[..., Any]]) -> None:
    """Use each filter once, so that its data of the language is read from the disk."""
    now = present()
    for moment in (now - timedelta(days=30), now - timedelta(hours=1), now + timedelta(days=1)):
        filters["when"](moment)
    filters["day"](now)
    filters["either"](["a", "b", "c"])
    filters["spoken"](["en", "zh_CN"])
    filters["size"](1_500_000)


class Phrases:
    """Filters of one language."""

    def __init__(
        self, language: str, catalogue: NullTranslations, clock: Callable[[], datetime] = present
    ) -> None:
        self._locale = Locale.parse(language)
        self._catalogue = catalogue
        self._clock = clock

    def filters(self) -> dict[str, Callable[..., str]]:
        """Return the filters by their names in templates."""
        return {
            "line": line,
            "typed": typed,
            "quoted": self.quoted,
            "either": self.either,
            "size": self.size,
            "exact": self.exact,
            "when": self.when,
            "at": self.at,
            "day": self.day,
            "duration": self.duration,
            "kind": self.kind,
            "spoken": self.spoken,
        }

    def quoted(self, value: object) -> str:
        """Return a name in the quotation marks of the language, on one line."""
        return self._catalogue.gettext('"%(text)s"') % {"text": line(value)}

    def either(self, values: Iterable[object]) -> str:
        """Return alternatives, such as ``a, b, or c``."""
        return format_list([line(value) for value in values], style="or", locale=self._locale)

    def size(self, size_bytes: int, beside: int | None = None) -> str:
        """Return a size such as ``1.2 MB``, in decimal units.

        It is exact below 1 kB, and if rounding would make it equal to another size shown ``beside`` it.
        """
        if size_bytes < 1000:
            return self.exact(size_bytes)
        rounded = _rounded(size_bytes)
        if beside is not None and beside != size_bytes and _rounded(beside) == rounded:
            return self.exact(size_bytes)
        return rounded

    def when(self, moment: datetime, now: datetime | None = None) -> str:
        """Return a moment such as ``5 minutes ago`` or ``in 2 hours``; a date (UTC) if it is over a week
        away.

        Both times are aware; ``now`` is the present unless given.
        """
        distance = moment - (now or self._clock())
        if abs(distance) > _RECENT:
            return self.day(moment)
        if timedelta(minutes=-1) < distance <= timedelta():
            return self._catalogue.gettext("just now")
        return format_timedelta(distance, add_direction=True, locale=self._locale)

    def at(self, moment: datetime, now: datetime | None = None) -> str:
        """Return a moment for use in a sentence: ``5 minutes ago``, ``in 2 hours``, ``on Mar 3, 2026``."""
        text = self.when(moment, now)
        return self._catalogue.gettext("on %(date)s") % {"date": text} if text == self.day(moment) else text

    def day(self, moment: datetime) -> str:
        """Return a date (UTC), such as ``Mar 3, 2026``."""
        return format_date(moment.astimezone(UTC), format="medium", locale=self._locale)

    def duration(self, seconds: float) -> str:
        """Return a duration such as ``1 minute 30 seconds``: its two largest units, at least a second."""
        minutes, second_count = divmod(max(round(seconds), 1), 60)
        hours, minute_count = divmod(minutes, 60)
        day_count, hour_count = divmod(hours, 24)
        parts = [
            (day_count, self._plural("%(count)s day", "%(count)s days", day_count)),
            (hour_count, self._plural("%(count)s hour", "%(count)s hours", hour_count)),
            (minute_count, self._plural("%(count)s minute", "%(count)s minutes", minute_count)),
            (second_count, self._plural("%(count)s second", "%(count)s seconds", second_count)),
        ]
        largest = next(place for place, (count, _) in enumerate(parts) if count)
        return " ".join(text for count, text in parts[largest : largest + 2] if count)

    def kind(self, media_type: str) -> str:
        """Return a media type in everyday words, such as ``PDF document``; itself if it has none."""
        bare = media_type.partition(";")[0].strip().lower()
        if bare in FORMATS:
            name, noun = FORMATS[bare]
            noun = WITH_MACROS.get(noun, noun) if media_type.endswith(MACROS_PARAMETER) else noun
            return self._catalogue.gettext(noun) % {"format": name}
        words = NAMED.get(bare) or PREFIXES.get(bare.partition("/")[0])
        return self._catalogue.gettext(words) if words else line(bare)

    def spoken(self, languages: Iterable[str], prefix: str = "") -> str:
        """Return the names of languages, with their commands: ``English (lang en) and 中文 (lang zh)``.

        ``prefix`` is the prefix of commands.
        """
        named = self._catalogue.gettext("%(name)s (%(command)s)")
        return format_list(
            [
                named % {"name": locale.get_language_name(), "command": f"{prefix}lang {locale.language}"}
                for locale in map(Locale.parse, languages)
            ],
            locale=self._locale,
        )

    def exact(self, size_bytes: int) -> str:
        """Return an exact size, such as ``1,234 bytes``."""
        return self._plural("%(count)s byte", "%(count)s bytes", size_bytes)

    def _plural(self, one: str, many: str, count: int) -> str:
        return self._catalogue.ngettext(one, many, count) % {"count": f"{count:,}"}


def _rounded(size_bytes: int) -> str:
    return humanize.naturalsize(size_bytes).replace(".0 ", " ")
