"""Whether a line in a room is meant for the bot, and what remains of it; the same of one in private."""

from typing import Final

_AFTER_NICK: Final = (":", ",")


def addressed(text: str, *, prefix: str, nick: str) -> str | None:
    """Return what is said to the bot: without the prefix (``!get x``) or the bot's nick (``nick: get x``,
    ``nick, get x``, ``@nick get x``, in any case). None if the line is for others.
    """
    line = text.strip()
    rest = _after_prefix(line, prefix)
    return _after_nick(line, nick) if rest is None else rest


def in_private(text: str, *, prefix: str, nick: str) -> str:
    """Return what is said in private, without what people write before it out of habit.

    That comes from rooms or from other bots (``/help``); in private the bot is meant in any case.
    """
    said = addressed(text, prefix=prefix, nick=nick) or _after_prefix(text.strip(), "/")
    return said or text


def _after_prefix(line: str, prefix: str) -> str | None:
    if not prefix or not line.startswith(prefix):
        return None
    rest = line[len(prefix) :].lstrip()
    # "!!!" and "!?" are not commands.
    return rest if rest[:1].isalnum() else None


def _after_nick(line: str, nick: str) -> str | None:
    mention = line.startswith("@")
    name = line[1:] if mention else line
    if not nick or name[: len(nick)].casefold() != nick.casefold():
        return None
    rest = name[len(nick) :]
    if rest.startswith(_AFTER_NICK):
        return rest[1:].lstrip()
    # A longer word that only begins like the nick is somebody else's.
    return rest.lstrip() if mention and (not rest or rest[0].isspace()) else None
