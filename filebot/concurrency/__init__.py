"""Tasks with owners, locks by key, bounded caches and restarts."""
