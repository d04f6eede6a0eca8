"""Replies: values stay values, words fit their language, and an operator's slip does no harm."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filebot import errors
from filebot.errors import ConfigError, NoSuchEntry, PluginError, StorageFull, UnknownCommand
from filebot.model import BlobRef, Entry
from filebot.replies import Replies
from filebot.replies.catalogues import LANGUAGES, translations
from filebot.replies.filters import Phrases, line

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def replies() -> Replies:
    return Replies()


def phrases(language: str = "en") -> Phrases:
    return Phrases(language, translations(language))


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / f"{name}.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return folder


# --- templates ---------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("hostile", ["{{ 7*7 }}", "{% raw %}", "%(word)s %s 100%", "<b>&amp;</b>"])
def test_a_value_is_never_run_as_a_template(replies: Replies, language: str, hostile: str) -> None:
    assert hostile in replies.render("errors/unknown_command", language, error=UnknownCommand(hostile))


def test_a_value_cannot_break_its_line(replies: Replies) -> None:
    error = UnknownCommand("a\nb\r\n\u2028c\u202e")
    assert '"a b c"' in replies.render("errors/unknown_command", "en", error=error)


def test_a_template_cannot_reach_into_python() -> None:
    replies = Replies()
    replies.add("x", {"peek": "{{ value.__class__.__mro__ }}", "change": "{{ value.append(1) }}"})
    with pytest.raises(PluginError, match="unsafe"):
        replies.render("x/peek", "en", value="")
    with pytest.raises(PluginError, match="unsafe"):
        replies.render("x/change", "en", value=[])


def test_a_forgotten_value_is_an_error_and_not_an_empty_text(replies: Replies) -> None:
    with pytest.raises(PluginError) as caught:
        replies.render("errors/incident", "en", number="7f3a")
    assert str(caught.value) == (
        "template errors/incident, line 1: 'incident' is undefined; it is given number"
    )


def test_a_template_that_does_not_exist_is_an_error_with_what_may_be_meant(replies: Replies) -> None:
    with pytest.raises(PluginError, match=r"^there is no template 'no/such'$"):
        replies.render("no/such", "en")
    with pytest.raises(PluginError, match="'errors/incidents'; did you mean 'errors/incident'"):
        replies.render("errors/incidents", "en")


def test_a_mistake_in_a_template_names_its_line_and_what_may_be_meant() -> None:
    replies = Replies()
    text = "First.\n{{ entry.nmae }}\n"
    replies.add("x", {"y": text, "z": "{{ siez|line }}", "f": "\n{{ name|size }}", "o": "\n\n{{ 1 / 0 }}"})
    blob = BlobRef("0" * 64, 1)
    entry = Entry("a.txt", "alice@example.org", None, "", blob, "text/plain", NOW, id=1, modified_at=NOW)
    cases: list[tuple[str, dict[str, object], str]] = [
        ("x/y", {"entry": entry}, "line 2: .*'nmae'; did you mean 'name'"),
        ("x/z", {"size": 1, "name": "a"}, "line 1: 'siez' is undefined; did you mean 'size'"),
        ("x/f", {"name": "a"}, "line 2: "),
        ("x/o", {}, "line 3: ZeroDivisionError"),
    ]
    for template, values, mistake in cases:
        with pytest.raises(PluginError, match=f"^template {template}, {mistake}"):
            replies.render(template, "en", **values)


def test_values_may_have_the_names_of_our_own_arguments() -> None:
    replies = Replies()
    replies.add("x", {"y": "{{ template }} {{ language }} {{ self_ }}"})
    assert replies.render("x/y", "en", template=1, language=2, self_=3) == "1 2 3"


# --- plugins' own words ------------------------------------------------------------------------


def test_a_plugin_brings_its_words_along() -> None:
    replies = Replies()
    replies.add("sample", {"usage": "You use {{ used|size }}.\n"})
    assert replies.render("sample/usage", "zh-CN", used=1_200_000) == "You use 1.2 MB."


def test_a_plugin_cannot_take_the_place_of_other_words() -> None:
    replies = Replies()
    with pytest.raises(PluginError, match="errors/incident"):
        replies.add("errors", {"incident": "gotcha"})
    replies.add("mine", {"a": "1"})
    with pytest.raises(PluginError, match="mine/a"):
        replies.add("mine", {"a": "2"})


def test_a_plugin_with_a_broken_template_is_refused_with_the_line() -> None:
    with pytest.raises(PluginError, match="sample: template usage, line 2"):
        Replies().add("sample", {"usage": "fine\n{% if %}"})


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("{{ x|nope }}", "line 1: no filter named 'nope'"),
        ("fine\n{% if x is defined %}{{ x|nope }}{% endif %}", "line 2: no filter named 'nope'"),
        ("{% trans %}a {{ x }}{% endtrans %}{{ x|size|nope }}", "line 1: no filter named 'nope'"),
        ("{% filter nope %}{% endfilter %}", "line 1: no filter named 'nope'"),
        ("{{ x if x is nope }}", "line 1: no test named 'nope'"),
        ("{% block a %}{% endblock %}{% block a %}{% endblock %}", "line 1: block 'a' defined twice"),
    ],
)
def test_a_template_that_could_only_fail_is_refused(tmp_path: Path, text: str, mistake: str) -> None:
    with pytest.raises(PluginError, match=f"sample: template usage, {mistake}"):
        Replies().add("sample", {"usage": text})
    with pytest.raises(ConfigError, match=mistake):
        Replies(overrides=written(tmp_path, "errors/stranger", text))


# --- the operator's words ----------------------------------------------------------------------


def test_the_operator_can_put_other_words_in_place_of_ours(tmp_path: Path) -> None:
    replies = Replies(overrides=written(tmp_path, "errors/stranger", "Go away, please.\n"))
    assert replies.render("errors/stranger", "en") == "Go away, please."
    assert "encrypted" in replies.render("errors/encrypted", "en")


def test_the_operators_template_that_fails_gives_way_to_ours(tmp_path: Path) -> None:
    replies = Replies(overrides=written(tmp_path, "errors/stranger", "Ask {{ opertaor }}."))
    assert replies.render("errors/stranger", "en").startswith("I only serve")


def test_broken_templates_of_the_operator_are_all_named_at_start(tmp_path: Path) -> None:
    written(tmp_path, "errors/stranger", "Hello\n{{ oops")
    written(tmp_path, "errors/encrypted", "{% nonsense %}")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigError) as caught:
        Replies(overrides=tmp_path)
    assert len(caught.value.mistakes) == 3
    assert any("stranger.txt line 2" in mistake for mistake in caught.value.mistakes)


def test_a_folder_of_templates_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no folder"):
        Replies(overrides=tmp_path / "nowhere")


# --- languages ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        (("zh",), "zh_CN"),
        (("zh-Hans",), "zh_CN"),
        (("zh_CN",), "zh_CN"),
        (("ZH-hans-cn",), "zh_CN"),
        (("zh-TW",), "zh_CN"),
        (("en-GB",), "en"),
        ((None, "", "fr", "zh", "en"), "zh_CN"),
        (("fr",), "en"),
        (("-" * 100_000,), "en"),
        ((), "en"),
    ],
)
def test_the_first_language_that_is_spoken_is_chosen(
    replies: Replies, wanted: tuple[str | None, ...], language: str
) -> None:
    assert replies.negotiate(*wanted) == language


def test_the_default_language_is_the_configured_one() -> None:
    assert Replies("zh-CN").negotiate("fr") == "zh_CN"
    assert "密" in Replies("zh_CN").render("errors/encrypted", "fr")


def test_a_default_language_without_words_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="use one of: en, zh_CN"):
        Replies("fr")


@pytest.mark.parametrize(
    ("typed", "language"),
    [
        ("English", "en"),
        (" en ", "en"),
        ("en-GB", "en"),
        ("中文", "zh_CN"),
        ("Chinese", "zh_CN"),
        ("simplified  chinese", "zh_CN"),
        ("zh", "zh_CN"),
        ("français", None),
        ("", None),
        ("enough", None),
    ],
)
def test_people_name_languages_by_word_or_by_tag(
    replies: Replies, typed: str, language: str | None
) -> None:
    assert replies.parse_language(typed) == language


@given(st.text())
@settings(deadline=None)
def test_no_text_upsets_the_choice_of_a_language(text: str) -> None:
    replies = Replies.__new__(Replies)
    assert replies.parse_language(text) in {None, *LANGUAGES}


# --- words for errors --------------------------------------------------------------------------


def test_an_error_has_the_words_of_its_class_or_of_the_one_above(replies: Replies) -> None:
    class DiskOnFire(StorageFull):
        pass

    class Odd(errors.UserError):
        pass

    assert replies.template_for(NoSuchEntry("x")) == "errors/no_such_entry"
    assert replies.template_for(DiskOnFire()) == "errors/storage_full"
    assert replies.template_for(Odd()) is None
    assert replies.template_for(errors.LocalProtocolError()) is None


# --- phrases -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1 kB"),
        (1_234_567, "1.2 MB"),
        (999_999, "1 MB"),
        (2**30, "1.1 GB"),
        (10**18, "1 EB"),
    ],
)
def test_sizes_read_as_people_write_them(size: int, text: str) -> None:
    assert phrases().size(size) == text


def test_two_sizes_that_would_read_the_same_are_told_apart() -> None:
    assert phrases().size(1_000_001, beside=1_000_000) == "1,000,001 bytes"
    assert phrases().size(1_000_000, beside=1_000_000) == "1 MB"
    assert phrases().size(2_000_000, beside=1_000_000) == "2 MB"
    assert phrases("zh_CN").size(5) == "5 字节"


@pytest.mark.parametrize(
    ("distance", "english", "chinese"),
    [
        (timedelta(seconds=-10), "just now", "刚刚"),
        (timedelta(minutes=-5), "5 minutes ago", "5分钟前"),
        (timedelta(days=-2), "2 days ago", "2天前"),
        (timedelta(days=-17), "Mar 3, 2026", "2026年3月3日"),
        (timedelta(hours=2), "in 2 hours", "2小时后"),
    ],
)
def test_times_are_relative_when_near_and_dates_when_far(
    distance: timedelta, english: str, chinese: str
) -> None:
    assert phrases().when(NOW + distance, NOW) == english
    assert phrases("zh_CN").when(NOW + distance, NOW) == chinese


def test_a_date_within_a_sentence_reads_as_part_of_it() -> None:
    far, near = NOW - timedelta(days=17), NOW + timedelta(hours=2)
    assert phrases().at(far, NOW) == "on Mar 3, 2026"
    assert phrases().at(near, NOW) == "in 2 hours"
    assert phrases("zh_CN").at(far, NOW) == "2026年3月3日"


def test_a_day_is_a_date_however_near_it_is() -> None:
    assert phrases().day(NOW) == "Mar 20, 2026"
    assert phrases("zh_CN").day(NOW) == "2026年3月20日"


def test_languages_are_shown_with_the_command_that_chooses_them() -> None:
    assert phrases().spoken(["en", "zh_CN"], "!") == "English (!lang en) and 中文 (!lang zh)"


def test_the_present_is_now_unless_told() -> None:
    assert phrases().when(datetime.now(UTC)) == "just now"


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0.2, "1 second", "1 秒"),
        (60.0, "1 minute", "1 分钟"),
        (90.0, "1 minute 30 seconds", "1 分钟 30 秒"),
        (2_592_000.0, "30 days", "30 天"),
        (90_061.0, "1 day 1 hour", "1 天 1 小时"),
        (86_520.0, "1 day", "1 天"),
    ],
)
def test_spans_have_their_two_largest_units(seconds: float, english: str, chinese: str) -> None:
    assert phrases().duration(seconds) == english
    assert phrases("zh_CN").duration(seconds) == chinese


@pytest.mark.parametrize(
    ("media_type", "english", "chinese"),
    [
        ("application/pdf", "PDF document", "PDF 文档"),
        ("image/png", "PNG image", "PNG 图片"),
        ("IMAGE/JPEG", "JPEG image", "JPEG 图片"),
        ("text/plain; charset=utf-8", "plain text", "纯文本"),
        ("image/x-odd", "image", "图片"),
        ("chemical/x-pdb", "chemical/x-pdb", "chemical/x-pdb"),
        ("odd\n/thing", "odd /thing", "odd /thing"),
    ],
)
def test_media_types_have_peoples_words(media_type: str, english: str, chinese: str) -> None:
    assert phrases().kind(media_type) == english
    assert phrases("zh_CN").kind(media_type) == chinese


def test_alternatives_are_listed_as_the_language_does() -> None:
    assert phrases().either(["a"]) == "a"
    assert phrases().either(["a", "b\n", "c"]) == "a, b, or c"
    assert phrases("zh_CN").either(["a", "b"]) == "a或b"


@given(st.text())
@settings(deadline=None)
def test_a_line_is_one_line_and_short(text: str) -> None:
    assert len(line(text).splitlines()) <= 1
    assert len(line(text * 1_000)) <= 3_000


# --- what is kept of earlier renderers ------------------------------------------------------------


def test_a_template_that_changed_is_not_what_it_was(tmp_path: Path) -> None:
    for text in ("Go away.", "Go away, please.", "Go away."):
        assert Replies(overrides=written(tmp_path, "errors/stranger", text)).render(
            "errors/stranger", "en"
        ) == text  # fmt: skip
        replies = Replies()
        replies.add("mine", {"words": text})
        assert replies.render("mine/words", "en") == text


def test_a_constant_is_in_the_words_of_each_reader_and_of_the_present() -> None:
    replies = Replies()
    replies.add("mine", {"words": "{{ 90|duration }}"})
    assert replies.render("mine/words", "en") == "1 minute 30 seconds"
    assert replies.render("mine/words", "zh_CN") != "1 minute 30 seconds"


def test_a_catalogue_is_that_of_one_renderer_and_as_it_is_now(tmp_path: Path) -> None:
    file = tmp_path / "zh_CN" / "LC_MESSAGES" / "mine.po"
    file.parent.mkdir(parents=True)
    for translation in ("甲", "乙"):
        file.write_text(f'msgid "my words"\nmsgstr "{translation}"\n', encoding="utf-8")
        replies = Replies()
        replies.add("mine", {"words": "{% trans %}my words{% endtrans %}"}, tmp_path)
        assert replies.render("mine/words", "zh_CN") == translation
    without = Replies()
    without.add("mine", {"words": "{% trans %}my words{% endtrans %}"})
    assert without.render("mine/words", "zh_CN") == "my words"
