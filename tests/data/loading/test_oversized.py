"""A single image that exhausts the memory is named where it is large, and the batch is blamed otherwise."""

import io

import pytest
from PIL import Image

from lit_cnn.data.loading.oversized import naming_by_size
from lit_cnn.data.sources.decoding import BrokenImage, EncodedImage

TORCH = (
    "[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."
)


def encoded(width: int, height: int) -> EncodedImage:
    stream = io.BytesIO()
    Image.new("1", (width, height)).save(stream, "PNG")
    return EncodedImage(stream.getvalue(), "folder/huge.png")


@pytest.mark.parametrize("error", [RuntimeError(TORCH), MemoryError()])
def test_a_large_image_is_at_fault(error: Exception) -> None:
    with (
        pytest.raises(
            BrokenImage, match=r"the image folder/huge\.png of 6000x5000 pixels does not fit .* or remove it$"
        ) as caught,
        naming_by_size(encoded(6000, 5000)),
    ):
        raise error
    assert "\n" not in str(caught.value)
    assert str(caught.value.with_advice(caught.value.in_training)).count("data.on_error") == 1


def test_a_usual_image_is_not_and_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="can't allocate memory"), naming_by_size(encoded(60, 50)):
        raise RuntimeError(TORCH)
    with pytest.raises(RuntimeError, match="sizes differ"), naming_by_size(encoded(6000, 5000)):
        raise RuntimeError("sizes differ")
