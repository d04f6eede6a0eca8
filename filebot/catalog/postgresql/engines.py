"""Connections to a catalog in PostgreSQL."""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

READERS: Final = 4
CONNECT_LIMIT_S: Final = 10.0
STATEMENT_LIMIT_S: Final = 30.0
"""Time of one statement at the server; a driver waits a little longer for its end."""
LOCK_LIMIT_S: Final = 10.0


def reading_engine(url: sa.URL) -> AsyncEngine:
    """Make a pool of connections that only read, each statement for itself."""
    return _engine(url, READERS, {"default_transaction_read_only": "on"}, isolation_level="AUTOCOMMIT")


def writing_engine(url: sa.URL) -> AsyncEngine:
    """Make the one connection that writes."""
    return _engine(url, 1, {})


def _engine(url: sa.URL, connections: int, settings: dict[str, str], **options: Any) -> AsyncEngine:
    limits = {
        "application_name": "filebot",
        "statement_timeout": f"{STATEMENT_LIMIT_S * 1000:.0f}",
        "lock_timeout": f"{LOCK_LIMIT_S * 1000:.0f}",
        "idle_in_transaction_session_timeout": f"{STATEMENT_LIMIT_S * 1000:.0f}",
    }
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg"),
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=True,  # a server that was restarted has ended the others
        hide_parameters=True,  # errors end in the log
        connect_args={
            "timeout": CONNECT_LIMIT_S,
            "command_timeout": STATEMENT_LIMIT_S + CONNECT_LIMIT_S,
            "server_settings": limits | settings,
        },
        **options,
    )
