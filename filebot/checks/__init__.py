"""Checks: asked before something is done for somebody; they may refuse it, or change it."""
