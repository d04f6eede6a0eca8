"""Remove the files of a room after some days, if its admins want that (`room set retention 90 days`)."""

from filebot.plugin import Number, Plugin

plugin = Plugin[None]("retention", api=1)

plugin.room_setting("retention", Number("day", most=36_500, example=90), default=None)
