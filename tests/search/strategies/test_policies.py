import math
import random
from collections import Counter

import pytest
import torch
from simulated import Toy

from lit_cnn.search.strategies.policies import IndependentPolicy, LSTMPolicy, Policy, draw

SPACE = Toy((2, 3, 2))
EVERY = torch.cartesian_prod(torch.arange(2), torch.arange(3), torch.arange(2))


@pytest.mark.parametrize("policy", [IndependentPolicy(SPACE), LSTMPolicy(SPACE, 5)], ids=["independent", "lstm"])
def test_samples_come_as_often_as_their_probabilities_say(policy: Policy) -> None:
    weights = {name: 20 * weight for name, weight in policy.initial(3).items()}  # far from even
    logs, _ = policy.log_probabilities(weights, EVERY)
    assert logs.exp().sum().item() == pytest.approx(1)
    source = random.Random(0)
    count = Counter(policy.sample(weights, source) for _ in range(600))
    for point, chance in zip(EVERY.tolist(), logs.exp().tolist(), strict=True):
        assert abs(count[tuple(point)] - 600 * chance) <= 5 * math.sqrt(600 * chance) + 1


@pytest.mark.parametrize("policy", [IndependentPolicy(SPACE), LSTMPolicy(SPACE, 5)], ids=["independent", "lstm"])
def test_the_entropies_of_the_decisions_add_up_to_that_of_points(policy: Policy) -> None:
    logs, entropies = policy.log_probabilities(policy.initial(3), EVERY)
    assert (logs.exp() * entropies).sum().item() == pytest.approx(-(logs.exp() * logs).sum().item())


def test_independent_logits_are_small_normal_numbers() -> None:
    logits = IndependentPolicy(Toy((20,) * 40)).initial(0)["logits"]
    assert logits.shape == (40, 20)
    assert 0.9e-3 < logits.std() < 1.1e-3


def test_the_lstm_is_torchs_with_weights_below_a_tenth() -> None:
    policy = LSTMPolicy(SPACE, 4)
    weights = policy.initial(0)
    assert all(0.05 < weight.abs().max() <= 0.1 for weight in weights.values())
    point = torch.tensor([[1, 2, 0]])
    lstm = torch.nn.LSTM(4, 4).double()
    names = {"weight_ih_l0": "input", "weight_hh_l0": "hidden", "bias_ih_l0": "input bias", "bias_hh_l0": "hidden bias"}
    lstm.load_state_dict({theirs: weights[ours] for theirs, ours in names.items()})
    shown = torch.stack([weights["first"][0], weights["embedding 0"][1], weights["embedding 1"][2]])
    states, _ = lstm(shown)
    wanted = sum(
        torch.log_softmax(weights[f"softmax {number}"] @ states[number], 0)[option].item()
        for number, option in enumerate(point[0].tolist())
    )
    assert policy.log_probabilities(weights, point)[0].item() == pytest.approx(wanted)


def test_an_option_is_drawn_up_to_the_last() -> None:
    class Largest(random.Random):
        def random(self) -> float:
            return 1.0

    assert draw(torch.zeros(3).double(), Largest()) == 2
