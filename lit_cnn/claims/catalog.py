"""The table of claims, in the order in which the papers make them."""

import difflib
from collections.abc import Sequence

from lit_cnn.claims.claim import Claim
from lit_cnn.claims.lectures import (
    adaptive_clipping,
    augmentation,
    compound_scaling,
    decoupled_decay,
    degradation,
    depthwise,
    ensembles,
    evolution,
    identity,
    inverted_bottleneck,
    linear_parameters,
    multipliers,
    normalization,
    pointwise,
    progressive,
    regularization,
    step_time,
    training_recipes,
    transfer,
)

CLAIMS: dict[str, Claim] = {
    claim.name: claim
    for claim in (
        linear_parameters.CLAIM,
        pointwise.CLAIM,
        normalization.CLAIM,
        degradation.CLAIM,
        identity.CLAIM,
        depthwise.CLAIM,
        multipliers.CLAIM,
        inverted_bottleneck.CLAIM,
        compound_scaling.CLAIM,
        evolution.CLAIM,
        regularization.CLAIM,
        decoupled_decay.CLAIM,
        augmentation.CLAIM,
        ensembles.CLAIM,
        progressive.CLAIM,
        adaptive_clipping.CLAIM,
        training_recipes.CLAIM,
        step_time.CLAIM,
        transfer.CLAIM,
    )
}
"""Name -> the claim."""


def find_claims(names: Sequence[str]) -> list[Claim]:
    """The claims of these names; of none, or of "all": all.

    Raises:
        ValueError: If there is none of a name, naming the nearest.
    """
    if not names or list(names) == ["all"]:
        return list(CLAIMS.values())
    for name in names:
        if name not in CLAIMS:
            near = difflib.get_close_matches(name, CLAIMS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(CLAIMS)}"
            raise ValueError(f"there is no claim {name}; {hint}")
    return [CLAIMS[name] for name in dict.fromkeys(names)]
