"""The mechanical part of docs/style.md, held over every message in English and in Chinese."""

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from jinja2 import Environment, nodes

from filebot import errors
from filebot.plugin.commands import Command
from filebot.plugin.confirmation import ANSWERS
from filebot.plugin_loader import bundled
from filebot.replies import Replies
from tests.unit.replies.test_translations import SAMPLES, script

ROOT = Path(__file__).parents[3]
TEMPLATES = sorted(
    [*(ROOT / "filebot" / "templates").rglob("*.txt"), *ROOT.glob("plugins/*/templates/*.txt")]
)
CLAUSES = {
    *("My server", "Your server", "The file", "Your app did not accept it directly", "New name"),
    "Another file",
}
"""Parts of longer sentences, and labels."""
LONGEST_SENTENCE = 170
LONGEST_MESSAGE = 260
HAN = r"[\u3400-\u9fff]"
VALUE = "◇"
"""In place of what a message is filled with: no letter, no blank, no punctuation."""
WIDE = "，。：；？（）“”、"
HINT = re.compile(r"(?:type|message here|message in the room|private message): ?(.+)$", re.MULTILINE)


@cache
def catalogs() -> tuple[Catalog, Catalog]:
    """The messages as they are written, and their Chinese."""
    messages = script()
    written, chinese = Catalog(), Catalog(locale="zh_CN")
    for path in messages.catalogues():
        for catalog, found in (written, messages.extracted(path.stem)), (chinese, messages.read(path)):
            for message in found:
                if message.id:
                    catalog[message.id] = message
    return written, chinese


def forms(message: Message) -> list[str]:
    return list(message.id) if isinstance(message.id, tuple | list) else [message.id]


@cache
def english() -> list[str]:
    return sorted({form for message in catalogs()[0] if message.id for form in forms(message)})


@cache
def of_templates() -> list[str]:
    return sorted(
        {
            form
            for message in catalogs()[0]
            if message.id and any(str(file).startswith("templates") for file, _ in message.locations)
            for form in forms(message)
        }
    )


@cache
def translated() -> list[tuple[str, str]]:
    """Each message with its Chinese; of a plural the last form."""
    found: list[tuple[str, str]] = []
    for message in filter(lambda each: each.id, catalogs()[0]):
        theirs = catalogs()[1].get(message.id, message.context)
        assert theirs is not None
        text = theirs.string[0] if isinstance(theirs.string, tuple | list) else theirs.string
        found.append((forms(message)[-1], str(text)))
    return found


def prose(text: str) -> str:
    """A text without its values, and without what people are to type."""
    return without_values(re.sub(r'"[^"]*"|“[^”]*”', VALUE, HINT.sub(_without_command, text)))


def _without_command(hint: re.Match[str]) -> str:
    return hint[0].removesuffix(hint[1]) + VALUE


def without_values(text: str) -> str:
    return re.sub(r"%\(\w+\)s", VALUE, text)


@cache
def word_table() -> list[tuple[list[str], list[str], list[str]]]:
    section = (ROOT / "docs" / "style.md").read_text(encoding="utf-8").partition("## Words")[2]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]
    return [([part.strip() for part in say.split(",")], _parts(no), _parts(zh)) for say, no, zh in rows[1:]]


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(",")]


def holds(text: str, word: str) -> bool:
    """Whether an English text has this word, in the plural as well."""
    if word.endswith(":"):
        return word in text
    end = r"(?:s|d|es|ed)?\b"
    return re.search(rf"\b{re.escape(word)}{end}", text, re.IGNORECASE) is not None


# --- English ------------------------------------------------------------------------------------


CHATTER = re.compile(
    r"!|  |\b(?:please|sorry|oops|unfortunately|successful(?:ly)?|the bot)\b"
    r"|\w(?:n't|'re|'ll|'ve)\b|\b(?:I'm|it's|that's|there's)\b",
    re.IGNORECASE,
)
TERMS_OF_THE_PROTOCOL = re.compile(r"\b(?:XEP|SOCKS5|IBB|JID|MUC|stanza|disco|IQ)\b")


def test_english_has_no_chatter_contractions_stray_blanks_or_terms_of_the_protocol() -> None:
    found = [text for text in english() if CHATTER.search(text) or TERMS_OF_THE_PROTOCOL.search(text)]
    assert found == []


def test_english_says_the_words_of_the_table() -> None:
    avoided = [word for _, not_said, _ in word_table() for word in not_said]
    assert len(avoided) > 20
    assert [(text, word) for text in english() for word in avoided if holds(prose(text), word)] == []


def test_messages_and_sentences_are_short() -> None:
    for text in of_templates():
        assert len(without_values(text)) <= LONGEST_MESSAGE, text
    for text in english():
        for sentence in re.split(r"(?<=[.?:]) |\n", without_values(text)):
            assert len(sentence) <= LONGEST_SENTENCE, sentence


def test_a_sentence_ends_like_one() -> None:
    for text in of_templates():
        if not text[0].isupper() or " " not in text or text in CLAUSES:
            continue
        label = re.fullmatch(r"[\w -]+: [^.]*%\(\w+\)s.*", text)
        assert text.endswith((".", "?", ":")) or HINT.search(text) or label, text


# --- commands -----------------------------------------------------------------------------------


def commands() -> dict[str, Command]:
    found: dict[str, Command] = {}
    for command in (each for plugin in bundled() for each in plugin.commands):
        found |= dict.fromkeys((command.name, *command.aliases), command)
    return found


def test_hints_work_when_they_are_typed() -> None:
    known = commands()
    hints = [(text, hint) for text in of_templates() for hint in HINT.findall(text)]
    assert len(hints) > 40
    for text, hint in hints:
        assert hint.startswith("%(prefix)s") or "private" in text, f"a room needs the prefix: {text}"
        typed = re.sub(r"%\(\w+\)s", "x", hint.removeprefix("%(prefix)s"))
        name, _, rest = typed.partition(" ")
        if typed in ANSWERS:
            continue
        assert any(usage.match(rest) is not None for usage in known[name].usages), typed


COMMAND = re.compile(r"\b(?:ls|rm|mv|say keep|with keep|room set|archive (?:off|on|history))\b")


def test_a_command_is_only_named_in_a_hint_or_in_quotation_marks() -> None:
    for text in of_templates():
        outside = re.sub(r"^[\w-]+(?: \w+)?:", "", prose(text))  # the settings in `room` are labels
        assert not COMMAND.search(outside), text
        assert "%(prefix)s" not in HINT.sub("", text) or "Begin each command with" in text, text


# --- Chinese ------------------------------------------------------------------------------------


MISTAKES = (
    rf'{HAN}[,;:?!()"]|[,;:?!()"]{HAN}',  # half-width punctuation
    rf"[{WIDE}] | [{WIDE}]",
    rf"{HAN} +{HAN}",
    rf"{HAN}[A-Za-z0-9]|[A-Za-z0-9]{HAN}",
)


def mistake_in(chinese: str) -> str | None:
    """The first blank that is too many or too few, or the first punctuation of another width."""
    return next((found[0] for each in MISTAKES if (found := re.search(each, chinese))), None)


def test_chinese_has_its_own_punctuation_and_blanks() -> None:
    for text, chinese in translated():
        shown = without_values(re.sub(r"(?m)(?:输入|发送)：.+$|“[^”]*”", VALUE, chinese))
        assert mistake_in(shown) is None, chinese
        if text in of_templates() and " " in text and text[0].isupper() and text.endswith("."):
            assert chinese.endswith("。"), chinese
        assert chinese.endswith("？") or not text.endswith("?"), chinese
        assert HINT.search(text) is None or re.search(r"(?:输入|发送)：[^。]+$", chinese, re.MULTILINE), (
            chinese
        )


def test_chinese_has_the_words_of_the_table() -> None:
    for text, chinese in translated():
        assert not re.search(r"你|传送|房间|群|！|存档|对不起|抱歉", chinese), chinese
        assert not re.search(r"(?<!我的)(?<!聊天室)(?<!所有者和)管理员", chinese), chinese
        if text not in of_templates():
            continue
        for say, _, theirs in word_table():
            if any(holds(prose(text), word) for word in say):
                assert any(word in chinese for word in theirs), (say, chinese)


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_filled_in_the_chinese_keeps_its_blanks(error: errors.FilebotError) -> None:
    replies = Replies()
    template = replies.template_for(error)
    assert template is not None
    text = replies.render(template, "zh_CN", error=error, name="a b.pdf")
    text = re.sub(r"[\w.]+或[\w.]+|\d+年\d+月\d+日|“[^”]*”|(?m:(?:输入|发送)：.+$)", VALUE, text)
    assert mistake_in(text) is None, text


# --- templates ----------------------------------------------------------------------------------


KINDS = re.compile(r'kind == "(\w+)"|"kind", "equalto", "(\w+)"|"(\w+)" in kinds')


def test_the_causes_that_templates_tell_apart_exist() -> None:
    for template in TEMPLATES:
        for names in KINDS.findall(template.read_text(encoding="utf-8")):
            assert hasattr(errors, "".join(names)), f"{template.name}: {names}"


# --- values ---------------------------------------------------------------------------------------


def bare_sizes(node: nodes.Node) -> list[str]:
    """Return the numbers of bytes in what is said that no filter of sizes writes."""
    if isinstance(node, nodes.Filter) and node.name in {"size", "exact"}:
        return []
    if isinstance(node, nodes.Compare | nodes.Test | nodes.Const):
        return []
    if isinstance(node, nodes.Getattr) and re.fullmatch(r"size|\w*bytes", node.attr):
        return [node.attr]
    children = [node.expr1] if isinstance(node, nodes.CondExpr) else list(node.iter_child_nodes())
    return [each for child in children for each in bare_sizes(child)]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_size_is_written_in_the_same_units(path: Path) -> None:
    environment = Environment(extensions=["jinja2.ext.i18n"])
    tree = environment.parse(path.read_text(encoding="utf-8"))
    said = list(tree.find_all(nodes.Output))
    assert [each for output in said for each in bare_sizes(output)] == []


def test_a_size_without_a_filter_would_be_found() -> None:
    tree = Environment().parse("{{ entry.blob.size }} {{ x.used_bytes|line }} {{ a.size|size }}")
    assert [each for output in tree.find_all(nodes.Output) for each in bare_sizes(output)] == [
        "size",
        "used_bytes",
    ]
