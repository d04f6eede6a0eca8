"""Parts of the catalog that only PostgreSQL knows."""
