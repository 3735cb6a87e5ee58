"""Single images that are named for their size: too large for the memory, or of an extreme aspect ratio."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from lit_cnn.data.image_size import in_words, name_extreme_aspect
from lit_cnn.data.sources.decoding import BrokenImage, EncodedImage

OUT_OF_MEMORY = r"(?i)(\w+ )?out of memory|(\w+: )?can't allocate memory"
"""What PyTorch says of a GPU's memory and of the machine's."""
LARGE = 25_000_000
"""Pixels from which on an image itself is at fault where the memory does not suffice to decode and resize it."""


@contextmanager
def naming_by_size(image: EncodedImage) -> Iterator[None]:
    """While ``image`` alone is decoded, cut and resized; warns of an extreme aspect ratio.

    Raises:
        BrokenImage: if the memory does not suffice, and the image is large; the message names it.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not re.search(OUT_OF_MEMORY, str(error)):
            raise
        sides = image.sides()
        if sides[0] * sides[1] < LARGE:
            raise
        raise BrokenImage(
            f"the image {image.name} of {in_words(sides)} pixels does not fit into the memory; make it smaller or "
            "remove it"
        ) from None
    if image.decoded is not None:
        name_extreme_aspect(image.decoded[1], image.decoded[0], image.name)
