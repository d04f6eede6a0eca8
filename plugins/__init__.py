"""The bot's own features, one short file each. They import ``filebot.plugin`` and nothing else of ours."""
