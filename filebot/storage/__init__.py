"""Content-addressed blobs: one adapter per kind of place that keeps bytes."""
