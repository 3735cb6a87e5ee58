"""AutoAugment's policy for detection (Zoph et al. 2019, arXiv:1906.11172), and RandAugment on boxes.

Policy v0 is that of all results of the paper, from tensorflow/tpu, models/official/detection/utils/
autoaugment_utils.py: five pairs of (operation, probability, level from 0 to 10), of which an image gets one. The code
states translation and cutout in pixels of the file; here they are shares of the image's longer side, of which COCO's
has 640. A box that its operations move out of the image is dropped by ``data.visibility``, while the code widens it to
a strip of the border.
"""

from typing import Literal

from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.magnitudes import paper_value
from lit_cnn.data.augmentation.operations import PAPER_FILL, Step
from lit_cnn.data.augmentation.rand_augment import LAYER_DRAWS, RandAugment, rand_augment_fill, rand_augment_steps
from lit_cnn.detection.box_operations import BoxStep, Scene, apply_box_steps

BoxPolicy = Literal["none", "v0"]
Operation = tuple[str, float, float]

# fmt: off
POLICIES: dict[str, tuple[tuple[Operation, Operation], ...]] = {
    "v0": (
        (("TranslateX_BBox", 0.6, 4), ("Equalize", 0.8, 10)),
        (("TranslateY_Only_BBoxes", 0.2, 2), ("Cutout", 0.8, 8)),
        (("Sharpness", 0.0, 8), ("ShearX_BBox", 0.4, 0)),
        (("ShearY_BBox", 1.0, 2), ("TranslateY_Only_BBoxes", 0.6, 6)),
        (("Rotate_BBox", 0.6, 10), ("Color", 1.0, 6)),
    ),
}
# fmt: on
INSIDE = "_Only_BBoxes"
"""End of the names of operations that each box gets or not, inside of it."""
INSIDE_DIVISOR = 3
"""By which that code divides the probability of such an operation, since boxes overlap."""
LONGER_SIDE = 640
"""Pixels of the longer side of COCO's images, for which that code's lengths were chosen."""
_TRANSLATION, _TRANSLATION_INSIDE, _CUTOUT = 250, 120, 2 * 100
"""Pixels at level 10: of a translation, of one inside a box, and of the side of cutout's square."""
POLICY_DRAWS = 9
"""Uniform draws: pair, then for each of the two whether it applies, sign, and cutout's place."""


def detection_value(name: str, level: float, longer: int, sign: int) -> float:
    """Value (see ``magnitudes``) of an operation of the policy in an image whose longer side has ``longer`` pixels; all
    but the lengths are those of RandAugment's paper scale."""
    share = level / 10 * longer / LONGER_SIDE
    if name.startswith("Translate"):
        return sign * float(int(share * (_TRANSLATION_INSIDE if name.endswith(INSIDE) else _TRANSLATION)))
    if name == "Cutout":
        return float(int(share * _CUTOUT))
    return paper_value(_operation(name), level, longer, sign)


def _operation(name: str) -> str:
    """The operation on pixels of a policy's operation."""
    return name.removesuffix(INSIDE).removesuffix("_BBox")


def policy_steps(draws: Draws, policy: BoxPolicy, scene: Scene) -> list[BoxStep]:
    """The operations of one image: which pair, and for each of the two whether it applies and its sign; inside boxes,
    whether each box gets it."""
    numbers, count = draws("auto_augment", POLICY_DRAWS)[0].tolist(), len(scene.boxes)
    inside = draws("auto_augment boxes", 2 * count)[0].view(count, 2)
    pairs, longer, steps = POLICIES[policy], max(scene.image.shape[-2:]), []
    for turn, (name, probability, level) in enumerate(pairs[int(numbers[0] * len(pairs))]):
        applies, sign, row, column = numbers[1 + 4 * turn : 5 + 4 * turn]
        value = detection_value(name, level, longer, -1 if sign < 0.5 else 1)
        step = Step(_operation(name), value, (row, column) if name == "Cutout" else (0.0, 0.0))
        if name.endswith(INSIDE):
            steps.append(BoxStep(step, inside[:, turn] < probability / INSIDE_DIVISOR))
        elif applies < probability:
            steps.append(BoxStep(step))
    return steps


def auto_augment_boxes(scene: Scene, policy: BoxPolicy, draws: Draws) -> Scene:
    """The policy on one image, with mid-gray outside of it."""
    if policy == "none":
        return scene
    return apply_box_steps(scene, policy_steps(draws, policy, scene), PAPER_FILL)


def rand_augment_boxes(scene: Scene, settings: RandAugment, mean: tuple[int, ...], draws: Draws) -> Scene:
    """RandAugment on one image, by the classification's operations and magnitudes; ``mean`` is the data set's color as
    uint8 levels."""
    if not settings.layers:
        return scene
    numbers = draws("rand_augment", LAYER_DRAWS * settings.layers)[0].tolist()
    height, width = scene.image.shape[-2:]
    steps = [BoxStep(step) for step in rand_augment_steps(numbers, settings, height, width)]
    return apply_box_steps(scene, steps, rand_augment_fill(settings, mean))
