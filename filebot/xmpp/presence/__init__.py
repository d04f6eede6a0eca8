"""Roster subscriptions, and the clients that are online."""
