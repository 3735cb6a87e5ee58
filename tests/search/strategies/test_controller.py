import math

import pytest
import torch
from simulated import Search, Toy

from lit_cnn.search.strategies.controller import Controller, PPOSettings, ReinforceSettings, Update
from lit_cnn.search.strategies.policies import IndependentPolicy
from lit_cnn.search.strategies.strategy import FAILED, History

SPACE = Toy((1, 3, 2))
POLICY = IndependentPolicy(SPACE)
POINTS = ((0, 2, 1), (0, 0, 1), (0, 1, 0), (0, 2, 1), (0, 0, 0), (0, 1, 1))
REWARDS = (0.3, 0.9, FAILED, 0.1, 0.4, 0.6)


def logits(controller: Controller, history: History) -> torch.Tensor:
    return controller.weights(history)["logits"]


def reference(rewards: tuple[float, ...], rate: float, entropy: float) -> torch.Tensor:
    """REINFORCE by torch's Adam."""
    parameter = POLICY.initial(4)["logits"].clone().requires_grad_()
    adam = torch.optim.Adam([parameter], lr=rate)
    total = count = 0.0
    for point, reward in zip(POINTS, rewards, strict=False):
        if reward == FAILED:
            continue
        total, count = 0.9 * total + 0.1 * reward, 0.9 * count + 0.1
        rows = [torch.log_softmax(parameter[i, :size], 0) for i, size in enumerate(SPACE.counts)]
        logs = sum(row[option] for row, option in zip(rows, point, strict=True))
        loss = -logs * (reward - total / count) + entropy * sum((row.exp() * row).sum() for row in rows)
        adam.zero_grad()
        loss.backward()
        adam.step()
    return parameter.detach()


@pytest.mark.parametrize("lag", [0, 2])
def test_reinforce_is_that_of_torch_on_the_known_rewards(lag: int) -> None:
    history = History(POINTS, REWARDS[: 6 - lag], lag, seed=4)
    controller = Controller(SPACE, POLICY, Update(0.1, entropy=0.05, baseline=0.9))
    torch.testing.assert_close(logits(controller, history), reference(history.rewards, 0.1, 0.05))


def test_ppo_compares_with_the_policy_that_drew_the_point() -> None:
    lag, update = 2, Update(0.3, 0.0, 0.9, minibatch=2, passes=3, clip=0.2)
    controller = Controller(SPACE, POLICY, update)
    history = History(POINTS, (0.3, 0.9, 0.2, 0.1), lag, seed=4)
    old = [controller.weights(history.at(slot)) for slot in range(6)]
    assert torch.equal(old[3]["logits"], old[0]["logits"]), "slot 3 knows one reward of a minibatch of two"
    assert not torch.equal(old[4]["logits"], old[0]["logits"])
    parameter = POLICY.initial(4)["logits"].clone().requires_grad_()
    adam = torch.optim.Adam([parameter], lr=0.3)
    total = count = 0.0
    advantages = []
    for reward in history.rewards:
        total, count = 0.9 * total + 0.1 * reward, 0.9 * count + 0.1
        advantages.append(reward - total / count)
    for batch in ((0, 1), (2, 3)):
        chosen, gain = torch.tensor([POINTS[slot] for slot in batch]), torch.tensor([advantages[s] for s in batch])
        before = torch.stack([POLICY.log_probabilities(old[s], torch.tensor([POINTS[s]]))[0][0] for s in batch])
        for _ in range(3):
            ratio = (POLICY.log_probabilities({"logits": parameter}, chosen)[0] - before).exp()
            loss = -torch.minimum(ratio * gain, ratio.clamp(0.8, 1.2) * gain).mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
    torch.testing.assert_close(logits(controller, history), parameter.detach())


def test_the_choices_that_made_a_network_are_rewarded_not_its_canonical_name() -> None:
    policy = IndependentPolicy(Toy((2, 2)))  # (1, 0) is written (0, 1)
    controller = Controller(Toy((2, 2)), policy, Update(1.0, 0.0, 0.0))
    for seed in range(40):
        start = History((), (), 0, seed)
        drawn = policy.sample(policy.initial(seed), start.draws("policy"))
        if drawn == (1, 0):
            break
    point = next(controller.proposals(start))
    assert point == (0, 1)
    assert controller._sample(policy.initial(seed), start, point).choices == (1, 0)
    assert controller._sample(policy.initial(seed), start, (0, 5)).choices == (0, 5), (
        "what it never draws is taken as it is"
    )


@pytest.mark.parametrize(
    "settings",
    [
        ReinforceSettings(),
        ReinforceSettings(policy="lstm", units=4, learning_rate=0.05),
        PPOSettings(policy="independent"),
        PPOSettings(units=4, learning_rate=0.05, minibatch=5),
    ],
    ids=["reinforce", "reinforce, lstm", "ppo", "ppo, lstm"],
)
def test_the_better_option_becomes_likely(settings: ReinforceSettings | PPOSettings) -> None:
    space = Toy((1, 2))
    controller = settings.build(space, 40)
    points: list[tuple[int, ...]] = []
    for _ in range(40):
        history = History(tuple(points), tuple(float(point[1]) for point in points))
        points.append(next(controller.proposals(history)))
    chances = []
    for at in (history.at(0), history):
        logs, _ = controller.policy.log_probabilities(controller.weights(at), torch.tensor([[0, 1]]))
        chances.append(math.exp(logs.item()))
    assert 0.4 < chances[0] < 0.6
    assert chances[1] > 0.9


def test_a_network_that_comes_again_is_evaluated_again() -> None:
    points = Search(40).work(lambda: ReinforceSettings().build(Toy((2, 2)), 40)).points
    assert len(set(points)) == 3


def test_failed_networks_teach_nothing() -> None:
    controller = Controller(SPACE, POLICY, Update(0.1, 0.01, 0.9))
    assert torch.equal(
        logits(controller, History(POINTS, (FAILED,) * 6, 0, 4)), logits(controller, History((), (), 0, 4))
    )


def test_ppos_minibatch_scales_with_the_budget() -> None:
    sizes = [PPOSettings().build(SPACE, budget).update.minibatch for budget in (30, 150, 20000)]
    assert sizes == [5, 10, 20]


def test_the_learning_rate_is_the_policys_where_none_is_stated() -> None:
    rates = [
        settings(policy=policy).build(SPACE, 60).update.learning_rate
        for settings in (ReinforceSettings, PPOSettings)
        for policy in ("independent", "lstm")
    ]
    assert rates == [0.1, 0.003, 0.1, 0.003]
