"""Shell patterns of names."""


def is_pattern(text: str) -> bool:
    """Whether ``text`` is a shell pattern such as ``resnet*``, and not a name."""
    return any(letter in text for letter in "*?[")
