"""On which images the candidates were judged, in words."""

from lit_cnn.choosing.folds import FoldsAsked, fold_numbers, pooled_counts, why_no_folds
from lit_cnn.choosing.images import ImageSet
from lit_cnn.choosing.trainings import imbalanced

LEARNED_NOTHING = (
    "No candidate is surely better than that, so their trainings were too short to compare networks by, and this "
    "recommendation is for its latency alone: start from trained weights (--weights, --pretrained any), or give a "
    "larger --budget."
)


def judged_words(images: ImageSet, asked: FoldsAsked, folds: int, surely: float) -> str:
    """Which images were judged by which trainings, and what the largest class alone would give.

    Args:
        images: The set.
        asked: What the user has asked for.
        folds: In so many parts, each of which was trained without; 1: on the given part.
        surely: Accuracy that the best candidate has at least: the lower end of its 95 % interval.
    """
    said = _in_folds(images, folds) if folds > 1 else [_without_folds(images, asked)]
    about, largest = "" if folds > 1 or "val" in images.splits else "about ", largest_share(images, folds)
    said.append(f"Always answering the largest class would be right in {about}{100 * largest:.1f} %.")
    if surely <= largest:
        said.append(LEARNED_NOTHING)
    if imbalanced(images.class_counts()):
        said.append(
            "Classes differ in size, so the losses were weighted by class, while top-1 counts every image the same."
        )
    return " ".join(said)


def _in_folds(images: ImageSet, folds: int) -> list[str]:
    said = [f"Each image was judged by networks that were not trained on it, in {folds} folds."]
    rare = sum(count for count in pooled_counts(images) if count < folds)
    if rare:
        said.append(f"{rare} of classes with fewer than {folds} images were trained on in every fold, and not judged.")
    if "val" in images.splits:
        said.append(
            "The given validation files were pooled with the training files for that: --folds 1 keeps the given split."
        )
    return said


def _without_folds(images: ImageSet, asked: FoldsAsked) -> str:
    why = why_no_folds(images, asked)
    return (
        f"The images are those set aside for validation, in one training of each candidate ({why}): another seed may "
        "differ by more than these intervals."
    )


def largest_share(images: ImageSet, folds: int) -> float:
    """The largest class's share of the images that are judged; of held-out ones that of all."""
    if folds > 1:
        counts = [count for count in pooled_counts(images) if count >= folds]
    elif "val" in images.splits:
        counts = images.splits["val"].labels.bincount().tolist()
    else:
        counts = images.class_counts()
    return max(counts) / sum(counts)


def require_judged(images: ImageSet, asked: FoldsAsked) -> None:
    """Refuse a choice whose candidates could not be compared in the end.

    Args:
        images: The set.
        asked: Folds that the user has asked for.

    Raises:
        ValueError: If they would be judged on fewer than two images.
    """
    judged = images.count("val")
    if fold_numbers(images, asked) == (1,) and judged < 2:
        raise ValueError(
            f"{images.path} has {judged} {'image' if judged == 1 else 'images'} to validate on "
            f"({why_no_folds(images, asked)}), but comparing candidates takes two at least: add images for validation"
        )
