"""Words of a plugin that is a package: templates and translations in folders of its own."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from filebot.errors import PluginError, UserError
from filebot.plugin import Context, Plugin
from filebot.replies import Replies
from filebot.testing import FakeBot

CATALOGUE = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"

msgid "A pebble is missing."
msgstr "少了一颗石子。"
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "pebbles"
    (folder / "templates").mkdir(parents=True)
    (folder / "templates" / "lost.txt").write_text("{% trans %}A pebble is missing.{% endtrans %}\n")
    (folder / "__init__.py").touch()
    catalogue = folder / "locale" / "zh_CN" / "LC_MESSAGES" / "pebbles.po"
    catalogue.parent.mkdir(parents=True)
    catalogue.write_text(CATALOGUE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    sys.modules.pop("pebbles", None)


def declared() -> Plugin[None]:
    return Plugin[None]("pebbles", api=1, package="pebbles", templates={"more": "More."})


def words() -> Replies:
    replies, plugin = Replies(), declared()
    replies.add(plugin.name, plugin.templates, plugin.locale)
    return replies


@pytest.mark.usefixtures("package")
def test_templates_of_a_package_are_translated_by_its_catalogue() -> None:
    replies = words()
    assert replies.render("pebbles/lost", "en") == "A pebble is missing."
    assert replies.render("pebbles/lost", "zh-CN") == "少了一颗石子。"
    assert replies.render("pebbles/more", "en") == "More."


@pytest.mark.usefixtures("package")
def test_an_error_of_a_plugin_has_the_words_that_its_class_names() -> None:
    class PebbleLost(UserError):
        template = "pebbles/lost"

    class Boulder(PebbleLost):
        pass

    assert words().template_for(PebbleLost()) == "pebbles/lost"
    assert words().template_for(Boulder()) == "pebbles/lost"


def test_a_catalogue_that_cannot_be_read_is_named(package: Path) -> None:
    (package / "locale/zh_CN/LC_MESSAGES/pebbles.po").write_text('msgid "a\n')
    with pytest.raises(PluginError, match=r"pebbles: a catalogue in .*locale cannot be read"):
        words()


@pytest.mark.parametrize(
    ("message", "mistake"),
    [
        ('msgid "%(name)s is lost."\nmsgstr "%(nmae)s 丢了。"\n', "has the placeholder %(nmae)s"),
        ('msgid "%(name)s is lost."\nmsgstr "丢了。"\n', "lacks the placeholder %(name)s"),
        (
            'msgid "One of %(name)s"\nmsgid_plural "%(count)s of %(name)s"\nmsgstr[0] "%(count)s 颗"\n',
            "lacks the placeholder %(name)s",
        ),
    ],
)
def test_placeholders_of_a_translation_are_those_of_its_message(
    package: Path, message: str, mistake: str
) -> None:
    (package / "locale/zh_CN/LC_MESSAGES/pebbles.po").write_text(CATALOGUE + "\n" + message)
    with pytest.raises(PluginError, match=r"pebbles: the translation into zh_CN of '.*' ") as error:
        words()
    assert mistake in str(error.value)


def test_a_count_that_one_form_leaves_out_need_not_be_in_a_translation(package: Path) -> None:
    one = 'msgid "One stone"\nmsgid_plural "%(count)s stones"\nmsgstr[0] "%(count)s 颗石子"\n'
    (package / "locale/zh_CN/LC_MESSAGES/pebbles.po").write_text(CATALOGUE + "\n" + one)
    assert words().has("pebbles/lost")


def test_a_template_that_cannot_be_read_is_named(package: Path) -> None:
    (package / "templates" / "odd.txt").write_bytes(b"\xff")
    with pytest.raises(PluginError, match=r"template .*odd\.txt cannot be read"):
        declared()


@pytest.mark.parametrize("name", ["pathlib_", "json.decoder", ""])
def test_what_is_no_package_is_refused(name: str) -> None:
    with pytest.raises(PluginError, match="package="):
        Plugin[None]("pebbles", api=1, package=name)


async def test_an_error_whose_words_fail_is_answered_as_an_incident(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Torn(UserError):
        template = "torn/words"

    class Wordless(UserError):
        template = "torn/none"

    plugin = Plugin[None]("torn", api=1, templates={"words": "{{ error.nothing }}"})

    @plugin.command("tear", usage="tear HOW")
    async def tear(ctx: Context[None], how: str) -> None:
        """Tear."""
        raise Torn if how == "up" else Wordless

    async with FakeBot(plugin, may_fail=True) as bot:
        for how in ("up", "off"):
            [said] = await bot.say(f"tear {how}")
            assert "went wrong on my side" in said
    assert "the error Wordless names a template that is not there: torn/none" in caplog.text


@pytest.mark.parametrize(
    ("wrong", "mistake"),
    [
        ({"place": "room"}, "'room' is no Place; import it from filebot.plugin"),
        ({"permission": "admin"}, "'admin' is no Permission; import it from filebot.plugin"),
    ],
)
def test_a_text_in_place_of_a_permission_is_refused(wrong: dict[str, Any], mistake: str) -> None:
    async def go(ctx: Context[None]) -> None:
        """Go."""

    with pytest.raises(PluginError, match=mistake):
        Plugin[None]("going", api=1).command("go", usage="go", **wrong)(go)
