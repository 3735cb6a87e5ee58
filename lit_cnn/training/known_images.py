"""Fine-tuning on images that the initial weights have seen: validation images among them say little."""

from lit_cnn.data.loading.fingerprints import Fingerprints, recognize
from lit_cnn.data.module import ImageData
from lit_cnn.run_folder.checkpoint import DATA, load_checkpoint


def known_images(checkpoint: str, data: object) -> str | None:
    """A sentence where the checkpoint was trained on validation images of ``data``, as far as it keeps that.

    Args:
        checkpoint: File that the weights come from.
        data: What is trained on.

    Raises:
        ValueError: If the checkpoint cannot be read.
    """
    stored = load_checkpoint(checkpoint).get(DATA, {})
    if "train" not in stored or not isinstance(data, ImageData):
        return None
    found = recognize(Fingerprints(**stored["train"]), data.loaded.val, data.class_names)
    if found is None or not found.known:
        return None
    return (
        f"{found.sentence(checkpoint, 'validation ')}, so the validation accuracy is flattered: keep its "
        "data.val_fraction, hold_out and group_by, or give other val images"
    )
