"""First config of a new bot: the answers to the questions asked, and further keys as comments."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

_TEXT: Final = """\
# The configuration of filebot. All keys are explained in config.example.toml; "filebot check" examines this
# file. Keep it closed to others (chmod 600) for as long as it holds the password.

# Files and catalog; a relative path begins at the folder of this file.
data_dir = {data_dir}

[xmpp]
jid = {jid}
{password}
# Only where the server is not to be looked up by DNS:
#host = "127.0.0.1"
#port = 5222
# A certificate authority to trust beside those of the system:
#ca_file = "cert.pem"

[rooms]
# Such as "team@conference.example.org"; commands begin with the prefix or with the bot's name.
join = []
command_prefix = "!"

[access]
# Who runs the bot.
admins = [{admins}]
# Who may drop and get files; without this key everybody of the bot's own domain.
#allow = ["*@example.org"]

[limits]
max_file_size = "1 GB"
quota_per_user = "10 GB"
total = "100 GB"
"""


def first_config(
    jid: str, password: str | Path, admins: tuple[str, ...], data_dir: Path = Path("data")
) -> str:
    """Return the text of the file. A path as ``password`` is the path of a password file."""
    key = "password" if isinstance(password, str) else "password_file"
    return _TEXT.format(
        data_dir=_quoted(str(data_dir)),
        jid=_quoted(jid),
        password=f"{key} = {_quoted(str(password))}",
        admins=", ".join(_quoted(admin) for admin in admins),
    )


def write_private(path: Path, text: str, *, replace: bool) -> None:
    """Write the file atomically, readable by its owner only.

    Raises FileExistsError if it is there and not to be replaced, or another OSError.
    """
    number, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with open(number, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(text)
            file.flush()
            os.fsync(number)
        if replace:
            Path(temporary).replace(path)
        else:
            path.hardlink_to(temporary)  # unlike a rename, it never replaces
    finally:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()


def _quoted(text: str) -> str:
    """Return a text as a basic string of TOML."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in {'"', "\\"}:
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"
