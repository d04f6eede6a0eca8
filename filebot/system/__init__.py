"""The machine that the bot runs on: signals, descriptors, file owners, certificates, the clock."""
