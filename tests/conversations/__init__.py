"""Conversations of people with the bot, played on a private server and written down."""
