"""The sentences on weights that do not fit a network, and on a network that cannot be built."""

import pytest
import torch

from lit_cnn.evaluation.trained import build_own_network, shortened


def refusal(target: torch.nn.Module, source: torch.nn.Module) -> str:
    with pytest.raises(RuntimeError) as caught:
        target.load_state_dict(source.state_dict())
    return str(caught.value).splitlines()[1].strip()


def test_of_many_missing_tensors_three_are_named() -> None:
    target = torch.nn.Sequential(*(torch.nn.Linear(1, 1) for _ in range(3)))
    assert shortened(refusal(target, torch.nn.Sequential())) == (
        'Missing key(s) in state_dict: "0.weight", "0.bias", "1.weight" and 3 more'
    )


def test_few_names_and_a_size_that_differs_stay_whole() -> None:
    for target, source in (
        (torch.nn.Linear(2, 3), torch.nn.Sequential()),
        (torch.nn.Conv2d(3, 4, 5), torch.nn.Conv2d(3, 2, 5)),
    ):
        sentence = refusal(target, source)
        assert shortened(sentence) == sentence


@pytest.mark.parametrize(
    ("recorded", "reason"),
    [
        ({"class_path": "nowhere.Net"}, "No module named 'nowhere'"),
        ({"class_path": "torch.nn.Linear", "init_args": {"in_features": 3}}, "out_features"),
    ],
)
def test_why_a_network_cannot_be_built_is_told(recorded: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=rf"a\.ckpt: {recorded['class_path']} cannot be built \(.*{reason}"):
        build_own_network(recorded, "a.ckpt")
