"""The demo: a private server, a bot and somebody who talks to it, all on this machine."""
