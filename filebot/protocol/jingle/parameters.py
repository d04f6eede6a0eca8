"""What a Jingle session is about, how it can stand, and how long it may stand so."""

from dataclasses import dataclass
from enum import Enum, auto, unique

from filebot.protocol.jingle.actions import Content
from filebot.protocol.jingle.quirks import STANDARD, Quirks


@unique
class State(Enum):
    """See the theory of operation in ``session``."""

    OFFERED = auto()
    CHECKING = auto()
    ACTIVATING = auto()
    REPLACING = auto()
    OPENING = auto()
    FLOWING = auto()
    FINISHING = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long the peer may take, in seconds, in each state in which it has to do something."""

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
    """What a session is about, and with whom."""

    sid: str
    content: Content
    """As in the ``session-initiate``: with the file and the initiator's transport."""
    initiating: bool
    """Whether the bot is the initiator; else it is the responder."""
    quirks: Quirks = STANDARD
    limits: SessionLimits = SessionLimits()
    spare_sid: str = ""
    """For an in-band stream that takes the place of another transport; empty if there may be none."""
    initiator: str = ""
    """The bot's own full JID where it initiates: who reads it is found in the wild."""

    @property
    def sending(self) -> bool:
        """Whether the bot sends the file."""
        return self.content.senders == ("initiator" if self.initiating else "responder")
