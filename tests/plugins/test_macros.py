"""Documents that hold programs of their own are told as such, and their type on the wire stays plain."""

import pytest

from filebot.testing import FakeBot
from tests.unit.filetype.recipes import compound, package

WORD = package("application/vnd.ms-word.document.macroEnabled.main+xml", "word/vbaProject.bin")
HIDDEN = package(
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml", "vbaProject.bin"
)


@pytest.mark.parametrize(
    ("name", "data", "english", "chinese"),
    [
        ("a.docm", WORD, "Word document with macros", "带宏的 Word 文档"),
        ("a.docx", HIDDEN, "Word document with macros", "带宏的 Word 文档"),
        (
            "a.xls",
            compound("Workbook", storages=("_VBA_PROJECT_CUR",)),
            "Excel spreadsheet with macros",
            "带宏的 Excel 电子表格",
        ),
        (
            "a.doc",
            compound("WordDocument", storages=("Macros", "VBA")),
            "Word document with macros",
            "带宏的 Word 文档",
        ),
        ("a.doc", compound("WordDocument"), "Word document", "Word 文档"),
    ],
)
async def test_a_document_with_macros_is_told_as_such(
    bot: FakeBot, name: str, data: bytes, english: str, chinese: str
) -> None:
    await bot.drop(name, data)
    assert f", {english}, " in (await bot.say("ls"))[0]
    [told] = await bot.say("info #1")
    assert f"Type: {english} (" in told
    assert "macros=" not in told
    await bot.say("lang zh")
    assert chinese in (await bot.say("info #1"))[0]
