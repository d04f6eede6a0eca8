"""Parameters of a Jingle session: its content, the two sides, and time limits."""

from dataclasses import dataclass

from filebot.protocol.jingle.actions import Content
from filebot.protocol.jingle.quirks import STANDARD, Quirks


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Time limits for the peer, in seconds, in each state in which it has to act."""

    answer_s: float = 300.0
    """A person may have to be asked."""
    check_s: float = 30.0
    """For its outcome: most try for 10 s."""
    activate_s: float = 30.0
    """COMPAT(Conversations): never says that it could not activate its proxy."""
    replace_s: float = 30.0
    open_s: float = 30.0
    finish_s: float = 30.0
    """COMPAT(iris): waits as long for a ``received`` before it counts silence as success."""


@dataclass(frozen=True, slots=True)
class SessionParameters:
    """Parameters of one session, fixed when it begins."""

    sid: str
    content: Content
    """Content of the ``session-initiate``, with the file and the initiator's transport."""
    initiating: bool
    """Whether the bot is the initiator; else it is the responder."""
    quirks: Quirks = STANDARD
    limits: SessionLimits = SessionLimits()
    spare_sid: str = ""
    """For an in-band stream that takes the place of another transport; empty if there may be none."""
    initiator: str = ""
    """The bot's own full JID if it initiates: some clients read it."""

    @property
    def sending(self) -> bool:
        """Whether the bot sends the file."""
        return self.content.senders == ("initiator" if self.initiating else "responder")
