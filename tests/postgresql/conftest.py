"""Private clusters of PostgreSQL; `make test` leaves them out."""

from tests.support.postgres_cluster import cluster, postgres_url

__all__ = ["cluster", "postgres_url"]
