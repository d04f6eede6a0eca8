"""Bytes in streams: in-band (XEP-0047) and over SOCKS5 (XEP-0065)."""
