"""Alembic runs this for every migration; the connection and its transaction are the caller's."""

from alembic import context

from filebot.catalog.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
