"""Values that people type in commands, read as what they stand for. All of it is pure; times are in UTC.

Each function raises ValueError for a text that it cannot read.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Final

from filebot.model import BareJid, as_bare_jid

LONGEST_DURATION: Final = timedelta(days=3660)

_LONGEST: Final = 60
"""Characters of the longest text that is looked at as a number, a time or a switch."""
_NUMBER: Final = re.compile(r"#?([+-]?[0-9]{1,18})")

_ON: Final = frozenset({"on", "yes", "true", "开", "开启", "打开", "是"})
_OFF: Final = frozenset({"off", "no", "false", "关", "关闭", "否"})

_UNITS: Final[Mapping[str, timedelta]] = {
    word: unit
    for words, unit in (
        ("s sec secs second seconds 秒 秒钟", timedelta(seconds=1)),
        ("m min mins minute minutes 分 分钟", timedelta(minutes=1)),
        ("h hr hrs hour hours 小时 个小时", timedelta(hours=1)),
        ("d day days 天 日", timedelta(days=1)),
        ("w week weeks 周 星期 个星期", timedelta(weeks=1)),
    )
    for word in words.split()
}
_SPAN: Final = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) ?([a-z]+|[\u3400-\u9fff]+?(?=\d|\s|$))")
_LATER: Final = re.compile(r"(?:in|after) (.+)|(.+?)(?:以?后| from now)")

_DAYS: Final[Mapping[str, int]] = {"today": 0, "tomorrow": 1, "今天": 0, "明天": 1, "后天": 2}
_WEEKDAYS: Final[Mapping[str, int]] = {
    word: number
    for number, words in enumerate(
        (
            *("monday mon 周一 星期一", "tuesday tue 周二 星期二", "wednesday wed 周三 星期三"),
            *("thursday thu 周四 星期四", "friday fri 周五 星期五", "saturday sat 周六 星期六"),
            "sunday sun 周日 周天 星期日 星期天",
        )
    )
    for word in words.split()
}
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def whole_number(text: str) -> int:
    """Return a whole number, such as ``12`` or ``#12``."""
    found = _NUMBER.fullmatch(text.strip()[:_LONGEST])
    if found is None:
        raise ValueError("no whole number")
    return int(found[1])


def switch(text: str) -> bool:
    """Return True for ``on`` or ``yes``, False for ``off`` or ``no``."""
    word = text.strip()[:_LONGEST].casefold()
    if word in _ON:
        return True
    if word in _OFF:
        return False
    raise ValueError("neither on nor off")


def bare_jid(text: str) -> BareJid:
    """Return a person's address without the client, in lower case."""
    return as_bare_jid(text.strip().removeprefix("xmpp:"))


def duration(text: str) -> timedelta:
    """Return a span of time, such as ``90 s``, ``1 h 30 min`` or ``2 weeks``; up to ten years."""
    words = " ".join(text[: _LONGEST + 1].casefold().replace(",", " ").replace(" and ", " ").split())
    total, end = timedelta(), 0
    for part in _SPAN.finditer(words):
        if words[end : part.start()].strip() or part[2] not in _UNITS:
            raise ValueError("no span of time")
        total += float(part[1]) * _UNITS[part[2]]
        end = part.end()
        if total > LONGEST_DURATION:
            break
    if len(text) > _LONGEST or words[end:].strip() or not timedelta() < total <= LONGEST_DURATION:
        raise ValueError("no span of time")
    return total


def moment(text: str, now: datetime) -> datetime:
    """Return a moment, such as ``tomorrow 08:00``, ``in 2 hours``, ``friday`` or ``2026-12-24 18:30``.

    A time alone is the next such time; a day alone is that day at the present time of day.
    """
    words = " ".join(text[: _LONGEST + 1].casefold().split())
    if len(text) > _LONGEST:
        raise ValueError("no moment")
    later = _LATER.fullmatch(words)
    if later is not None:
        return now + duration(later[1] or later[2])
    day, _, clock = re.sub(r"(?<=\d)t(?=\d)", " ", words).partition(" ")
    if not clock and _CLOCK.fullmatch(day):
        found = datetime.combine(now.date(), _clock(day, now), UTC)
        return found if found > now else found + timedelta(days=1)
    return datetime.combine(_date(day, now), _clock(clock, now), UTC)


def _date(word: str, now: datetime) -> datetime:
    if word in _DAYS:
        return now + timedelta(days=_DAYS[word])
    if word in _WEEKDAYS:
        return now + timedelta(days=(_WEEKDAYS[word] - now.weekday() - 1) % 7 + 1)
    if not _DATE.fullmatch(word):
        raise ValueError("no day")
    return datetime.fromisoformat(word)


def _clock(word: str, now: datetime) -> time:
    if not word:
        return now.time().replace(tzinfo=None)
    found = _CLOCK.fullmatch(word.removeprefix("at "))
    if found is None:
        raise ValueError("no time of day")
    return time(int(found[1]), int(found[2]))
