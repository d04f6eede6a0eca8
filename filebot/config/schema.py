"""Tables and keys of the configuration, with their defaults.

``config.example.toml`` shows and explains each; a test compares the two.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    StrictBool,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

from filebot.config import types as values
from filebot.config.toml_positions import Places
from filebot.errors import ConfigError

Port = Annotated[StrictInt, Field(ge=1, le=65_535)]
Count = Annotated[StrictInt, Field(ge=1, le=10_000)]


class Table(BaseModel):
    """Base of all tables: immutable, without unknown keys."""

    # Inputs stay out of error texts: one of them is the password.
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)


class Xmpp(Table):
    """Account of the bot, and address of its server."""

    jid: values.Account
    password: Annotated[SecretStr, Field(strict=True)]
    """May also come from ``password_file`` or the environment; see ``config/password``."""
    password_file: values.Location | None = None
    mode: Literal["client", "component"] = "client"
    host: values.Host | None = None
    port: Port | None = None
    ca_file: values.CaFile | None = None
    nick: values.OneLine = "filebot"

    @field_validator("password")
    @classmethod
    def _is_not_empty(cls, password: SecretStr) -> SecretStr:
        if not password.get_secret_value():
            raise ValueError("is empty; give the password of the bot's account")
        return password

    @model_validator(mode="after")
    def _fits_its_mode(self) -> Self:
        if self.mode == "component":
            if self.host is None or self.port is None:
                raise ValueError("a component needs host and port, there is no look-up for it; add both")
        elif "@" not in self.jid:
            raise ValueError(
                'jid has no name before an @; write it like bot@example.org, or set mode = "component"'
            )
        elif self.port is not None and self.host is None:
            raise ValueError("port is of no use without host; add host or remove port")
        return self


class Bot(Table):
    """Name, description and picture of the bot, as others see them outside of rooms."""

    name: values.OneLine | None = None
    """Without one it is the nick."""
    description: values.Sentence = "I keep files. Send me one, and get it back whenever you like."
    avatar: values.Avatar = values.OWN_AVATAR
    """Picture of the bot. The one that comes with it replaces no other, and an empty text is none."""


class Rooms(Table):
    """The rooms that the bot joins, and how it is called there."""

    join: tuple[values.BareJid, ...] = ()
    command_prefix: values.Prefix = "!"
    invitations: StrictBool = True
    """Whether everybody who is served may invite the bot into rooms, or admins only."""


class Access(Table):
    """The people who run the bot, and those it serves."""

    admins: tuple[values.BareJid, ...] = ()
    allow: tuple[values.Glob, ...] = ()
    """By default everybody of the bot's own domain, or of a component's parent domain."""
    deny: tuple[values.Glob, ...] = ()


class Limits(Table):
    """Limits on files, space and time."""

    max_file_size: values.Size = ByteSize(10**9)
    quota_per_user: values.Size = ByteSize(10 * 10**9)
    quota_per_room: values.Size = ByteSize(20 * 10**9)
    total: values.Size = ByteSize(100 * 10**9)
    files_per_message: Count = 10
    commands_per_minute: Count = 60
    """For each person."""
    idle_timeout: values.Seconds = 60.0
    """Seconds without a byte after which a transfer has failed."""
    keep_partial: values.Seconds = 86_400.0
    """Seconds for which the beginning of a broken transfer is kept, to be resumed."""
    keep_unreferenced: values.Seconds = 7 * 86_400.0
    """Seconds for which files are kept that no entry refers to."""


class Store(Table):
    """Place of the files' bytes."""

    url: values.Backend = "disk:"
    """Its scheme names the backend."""


class Files(Table):
    """Backends that look at received files; the schemes of these URLs name them."""

    inspector: values.Backend = "libmagic:"
    scanners: tuple[values.Backend, ...] = ()


class Network(Table):
    """Permissions for connections that are not safe everywhere; off by default."""

    allow_insecure: StrictBool = False
    allow_private: StrictBool = False


class Bytestreams(Table):
    """Addresses at which clients reach the bot directly, for files both ways (XEP-0065)."""

    addresses: tuple[values.Host, ...] = ()
    """Sent to clients as stream hosts; without any the bot does not listen."""
    bind: values.Host = "0.0.0.0"  # noqa: S104 - it listens only if addresses are given
    port: Port = 7625


class Replies(Table):
    """The language and the templates of the bot's replies."""

    language: values.Language = "en"
    """The language for people whose client names none."""
    templates: Annotated[values.ExistingFolder | None, BeforeValidator(lambda text: text or None)] = None


class Plugins(Table):
    """Plugins to run. Every other key is a table of a plugin's own settings, which the plugin checks."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, dict[str, Any]] = Field(init=False)

    disabled: tuple[StrictStr, ...] = ()
    paths: tuple[values.ExistingFolder, ...] = ()

    @property
    def settings(self) -> Mapping[str, Mapping[str, Any]]:
        """Tables of settings by the plugin's name, not yet checked."""
        return self.__pydantic_extra__


class Config(Table):
    """The whole configuration, with paths that do not depend on the working folder."""

    data_dir: values.Location = Path("data")
    xmpp: Xmpp
    bot: Bot = Bot()
    rooms: Rooms = Rooms()
    access: Access = Access()
    store: Store = Store()
    files: Files = Files()
    limits: Limits = Limits()
    network: Network = Network()
    bytestreams: Bytestreams = Bytestreams()
    replies: Replies = Replies()
    plugins: Plugins = Plugins()

    _places: Places = PrivateAttr(default=Places("config"))

    def located(self, error: ConfigError) -> ConfigError:
        """Return the same mistakes, each with file and line of its key."""
        return ConfigError(tuple(self._places.before(mistake) for mistake in error.mistakes))

    def model_post_init(self, context: Any, /) -> None:
        """Remember the lines of the keys, which ``load`` passes in the context."""
        if context is not None:
            self._places = context["places"]

    @model_validator(mode="before")
    @classmethod
    def _serve_own_domain(cls, tables: Any) -> Any:
        xmpp, access = tables.get("xmpp", {}), tables.get("access", {})
        if not isinstance(xmpp, dict) or not isinstance(access, dict) or "allow" in access:
            return tables
        domain = _served_domain(xmpp.get("jid"), xmpp.get("mode"))
        return {**tables, "access": {**access, "allow": [f"*@{domain}"]}} if domain else tables


def _served_domain(jid: object, mode: object) -> str | None:
    """Return the domain whose people are served by default; None if the JID is not valid."""
    try:
        domain = values.account(jid if isinstance(jid, str) else "").rpartition("@")[2]
    except ValueError:
        return None
    # People are at example.org, not at the component's files.example.org.
    parent = domain.partition(".")[2] if mode == "component" else ""
    return parent or domain
