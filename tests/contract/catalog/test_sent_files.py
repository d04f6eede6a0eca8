"""Contract of ``SentFiles``."""

from dataclasses import replace
from datetime import timedelta

from filebot.model import SentFile
from filebot.ports import MOST_SENT, Catalog
from tests.contract.catalog.samples import NOW, a_file

SENT = SentFile("m1", 1, "alice@example.org", "bob@example.org", False, "zh", NOW)


async def an_entry(catalog: Catalog) -> int:
    return (await catalog.add(a_file("a.txt"))).id


async def test_what_went_by_a_message_is_taken_once(catalog: Catalog) -> None:
    sent = replace(SENT, entry_id=await an_entry(catalog))
    await catalog.sent_files.add(sent)
    assert await catalog.sent_files.find("m2") is None
    assert await catalog.sent_files.find("m1") == sent
    assert await catalog.sent_files.take("m2") is None
    assert await catalog.sent_files.take("m1") == sent
    assert await catalog.sent_files.take("m1") is None


async def test_the_last_file_to_an_address_is_found(catalog: Catalog) -> None:
    old = replace(SENT, entry_id=await an_entry(catalog))
    new = replace(old, message_id="m2", sent_at=NOW + timedelta(minutes=5))
    for each in (new, old):
        await catalog.sent_files.add(each)
    assert await catalog.sent_files.latest("bob@example.org", NOW) == new
    assert await catalog.sent_files.latest("bob@example.org", NOW + timedelta(minutes=6)) is None
    assert await catalog.sent_files.latest("carol@example.org", NOW) is None


async def test_the_removal_of_a_file_forgets_its_messages(catalog: Catalog) -> None:
    sent = replace(SENT, entry_id=await an_entry(catalog))
    await catalog.sent_files.add(sent)
    await catalog.remove(sent.entry_id)
    assert await catalog.sent_files.take("m1") is None
    await catalog.sent_files.add(sent)
    assert await catalog.sent_files.take("m1") is None


async def test_only_the_latest_are_kept(catalog: Catalog) -> None:
    entry_id = await an_entry(catalog)
    for number in range(MOST_SENT + 2):
        at = NOW + timedelta(seconds=number)
        await catalog.sent_files.add(replace(SENT, entry_id=entry_id, message_id=f"m{number}", sent_at=at))
    assert await catalog.sent_files.take("m1") is None
    assert await catalog.sent_files.take("m2") is not None
