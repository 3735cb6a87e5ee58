"""Which architecture for these images, this device and this budget; a recipe for a folder."""
