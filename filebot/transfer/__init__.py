"""Drivers that move bytes: sockets and HTTP on one side, ports and pure machines on the other."""
