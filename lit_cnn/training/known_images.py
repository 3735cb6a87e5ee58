"""Fine-tuning on images that the initial weights have seen: validation images among them say little."""

from collections.abc import Sequence

from lit_cnn.data.loading.fingerprints import Fingerprints, Recognized, recognize
from lit_cnn.data.module import ImageData
from lit_cnn.data.sources.load import Split
from lit_cnn.run_folder.checkpoint import DATA, load_checkpoint


def known_images(checkpoint: str, data: object) -> str | None:
    """A sentence where the checkpoint was trained on validation images of ``data``, as far as it keeps that.

    Args:
        checkpoint: File that the weights come from.
        data: What is trained on.

    Raises:
        ValueError: If the checkpoint cannot be read.
    """
    found = recognized_images(checkpoint, data.loaded.val, data.class_names) if isinstance(data, ImageData) else None
    if found is None or not found.known:
        return None
    return (
        f"{found.sentence(checkpoint, 'validation ')}, so the validation accuracy is flattered: keep its "
        "data.val_fraction, hold_out and group_by, or give other val images"
    )


def recognized_images(checkpoint: str, split: Split, class_names: Sequence[str]) -> Recognized | None:
    """How many images of a split the checkpoint was trained on; None where it does not keep that.

    Raises:
        ValueError: If the checkpoint cannot be read.
    """
    stored = load_checkpoint(checkpoint).get(DATA, {})
    return recognize(Fingerprints(**stored["train"]), split, class_names) if "train" in stored else None
