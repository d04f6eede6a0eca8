"""Servers, clients and worlds that several tests share."""
