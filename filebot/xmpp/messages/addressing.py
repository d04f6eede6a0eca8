"""Whether a message in a room is meant for the bot, and what remains of it; the same of one in private."""

from typing import Final

from filebot.reading.signs import folded, lines_of

_AFTER_NICK: Final = (":", ",", "、")


def addressed(text: str, *, prefix: str, nick: str) -> str | None:
    """Return what is said to the bot: without the prefix (``!get x``) or the bot's nick (``nick: get x``,
    ``nick, get x``, ``@nick get x``, in any case and width). None if the message is for others.

    Quotations are nobody's words. By the nick all lines are for the bot, by a prefix those alone that have
    it.
    """
    lines = lines_of(text)
    if not lines:
        return None
    named = _after_nick(lines[0], nick)
    if named is not None:
        return "\n".join((named, *lines[1:]))
    said = [rest for line in lines if (rest := _after_prefix(line, prefix)) is not None]
    return "\n".join(said) if said else None


def in_private(text: str, *, prefix: str, nick: str) -> str:
    """Return what is said in private, without what people write before it out of habit.

    That comes from rooms or from other bots (``/help``); in private the bot is meant in any case.
    """
    lines = text.splitlines()
    return (
        "\n".join(_said(line, prefix, nick) for line in lines)
        if len(lines) > 1
        else _said(text, prefix, nick)
    )


def _said(line: str, prefix: str, nick: str) -> str:
    found = _after_prefix(line.strip(), prefix) or _after_nick(line.strip(), nick)
    return found or _after_prefix(line.strip(), "/") or line


def _after_prefix(line: str, prefix: str) -> str | None:
    if not prefix or not folded(line).startswith(folded(prefix)):
        return None
    rest = line[len(prefix) :].lstrip()
    # "!!!" and "!?" are not commands.
    return rest if rest[:1].isalnum() else None


def _after_nick(line: str, nick: str) -> str | None:
    plain = folded(line)
    mention = plain.startswith("@")
    name = plain[1:] if mention else plain
    if not nick or name[: len(nick)].casefold() != folded(nick).casefold():
        return None
    rest, length = name[len(nick) :], len(nick) + mention
    if rest.startswith(_AFTER_NICK):
        return line[length + 1 :].lstrip()
    # A longer word that only begins like the nick is somebody else's.
    return line[length:].lstrip() if mention and (not rest or rest[0].isspace()) else None
