"""Blobs in a bucket of S3, or of any service that speaks its protocol."""
