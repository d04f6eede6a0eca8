"""Copying of all blobs from one store into another: ``filebot store copy``."""
