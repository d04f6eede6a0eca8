"""The bot's own name, description and picture, as others see them."""
