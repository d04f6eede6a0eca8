"""Byte streams over TCP, negotiated by SOCKS5 (RFC 1928, XEP-0065)."""
