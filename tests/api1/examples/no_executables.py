"""Keep no programs: files that a computer would run are refused."""

from dataclasses import dataclass

from filebot.plugin import Context, FileOffered, FileReceived, Plugin, Refusal


@dataclass(frozen=True, slots=True)
class Settings:
    """The table `[plugins.no_executables]`."""

    endings: tuple[str, ...] = (".bat", ".cmd", ".com", ".exe", ".msi", ".scr")
    types: tuple[str, ...] = (
        "application/vnd.microsoft.portable-executable",
        "application/x-executable",
        "application/x-pie-executable",
        "application/x-sharedlib",
    )


plugin = Plugin(
    "no_executables",
    api=1,
    settings=Settings,
    needs={"checks"},
    templates={
        "named": "{{ name|quoted if name else 'That' }} is called as a program is, and I keep no programs.",
        "found": "{{ name|quoted if name else 'That' }} is a program, and I keep none.",
    },
)


@plugin.check(FileOffered)
async def check_name(ctx: Context[Settings], file: FileOffered) -> None:
    """Refuse a file for its name, before a byte of it is fetched."""
    if file.name.lower().endswith(ctx.settings.endings):
        raise Refusal("no_executables/named")


@plugin.check(FileReceived)
async def check_content(ctx: Context[Settings], file: FileReceived) -> None:
    """Refuse a file for its content, whatever it is called."""
    if file.media_type in ctx.settings.types:
        raise Refusal("no_executables/found")
