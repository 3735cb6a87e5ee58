"""Numbers and lists of names in sentences."""


def few(names: list[str], limit: int = 6) -> str:
    """The first names, comma separated, and how many more there are."""
    return ", ".join(names) if len(names) <= limit else f"{', '.join(names[:limit])} and {len(names) - limit} more"


def counted(number: int, noun: str) -> str:
    """The number and the noun, in the plural unless it is one: 1 image, 2 images."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"
