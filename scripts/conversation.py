"""Write docs/conversation.md: conversations with the bot, played on a private server.

``python scripts/conversation.py`` plays them and writes them anew, between the marks. ``--check`` changes
nothing and exits 1 if the document shows something else. Words after that play only the conversations with
them in their titles, and print them. Prosody must be installed.
"""

import asyncio
import difflib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.conversations.playing import CONVERSATIONS, Played, play_all

DOCUMENT: Final = Path(__file__).resolve().parent.parent / "docs" / "conversation.md"
BEGIN: Final = "<!-- conversations: begin; written by scripts/conversation.py -->"
END: Final = "<!-- conversations: end -->"


def section(played: Sequence[Played]) -> str:
    """Return the text between the marks."""
    return "\n".join([BEGIN, "", *(row for each in played for row in rows(each)), END])


def rows(played: Played) -> Iterator[str]:
    """Yield the rows of one conversation."""
    yield from (f"## {played.conversation.title}", "", played.conversation.shows, "")
    yield from ("```text", played.text, "```", "")


def main() -> int:
    """Play, then write, check or print; 1 if something is wrong."""
    words = [each.lower() for each in sys.argv[1:] if each != "--check"]
    wanted = [
        each for each in CONVERSATIONS if not words or any(word in each.title.lower() for word in words)
    ]
    with tempfile.TemporaryDirectory(prefix="filebot-conversation-") as folder:
        played = asyncio.run(play_all(Path(folder), wanted))
    incidents = [f"{each.conversation.title}: {line}" for each in played for line in each.incidents]
    unexpected = [f"{each.conversation.title}: {line}" for each in played for line in each.troubles]
    sys.stderr.writelines(f"{line}\n" for line in (*unexpected, *incidents))
    if words:
        sys.stdout.write("\n".join(row for each in played for row in rows(each)))
        return bool(incidents)
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    fresh = before + section(played) + after
    if "--check" not in sys.argv[1:]:
        DOCUMENT.write_text(fresh, encoding="utf-8")
    elif fresh != text:
        lines = text.splitlines(), fresh.splitlines()
        sys.stderr.writelines(
            f"{line}\n" for line in difflib.unified_diff(*lines, "document", "now", lineterm="")
        )
        sys.stderr.write("docs/conversation.md is out of date; run: python scripts/conversation.py\n")
        return 1
    return bool(incidents)


if __name__ == "__main__":
    sys.exit(main())
