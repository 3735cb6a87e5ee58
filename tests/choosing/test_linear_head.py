from pathlib import Path

import numpy as np
import torch

from lit_cnn.choosing.linear_head import ABSENT, fit_head, load_heads, save_heads


def clusters(count: int, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Features of very different scales, of which the first tell the classes apart."""
    draws = np.random.default_rng(0)
    labels = np.arange(count) % classes
    features = (draws.normal(0, 0.2, (count, 6)) + np.eye(classes, 6)[labels]) * 10.0 ** np.arange(-2, 4) + 5.0
    return torch.from_numpy(features).float(), torch.from_numpy(labels)


def test_the_folded_layer_gives_the_probabilities_of_the_standardized_regression() -> None:
    from sklearn.linear_model import LogisticRegression

    for classes in (2, 3):
        features, labels = clusters(60, classes)
        values = features.double().numpy()
        standard = (values - values.mean(0)) / values.std(0)
        expected = LogisticRegression(C=0.1, max_iter=300).fit(standard, labels.numpy()).predict_proba(standard)
        found = fit_head(features, labels, classes).logits(features).softmax(1)
        assert np.abs(found.numpy() - expected).max() < 1e-4


def test_classes_that_a_plane_parts_are_classified_correctly_on_other_images() -> None:
    features, labels = clusters(120, 3)
    head = fit_head(features[:60], labels[:60], 3)
    assert (head.logits(features[60:]).argmax(1) == labels[60:]).all()


def test_a_layer_without_a_bias_gets_none() -> None:
    features, labels = clusters(60, 3)
    head = fit_head(features, labels, 3, bias=False)
    assert head.bias is None
    assert (head.logits(features).argmax(1) == labels).float().mean() > 0.8


def test_a_class_without_images_is_never_the_answer() -> None:
    features, labels = clusters(60, 3)
    head = fit_head(features, labels, 5)
    assert head.bias is not None
    assert head.bias[3:].tolist() == [ABSENT, ABSENT]
    assert head.logits(features).argmax(1).max() < 3
    single = fit_head(features, torch.ones(60, dtype=torch.int64), 3)
    assert (single.logits(features).argmax(1) == 1).all()


def test_a_feature_that_is_always_the_same_has_a_weight_that_is_finite() -> None:
    features, labels = clusters(60, 3)
    features[:, 2] = 7.0
    assert fit_head(features, labels, 3).weight.isfinite().all()


def test_saved_heads_are_read_back_the_same(tmp_path: Path) -> None:
    heads = [fit_head(*clusters(30, 3), 3, bias=bias) for bias in (True, False)]
    save_heads(tmp_path / "a.heads", heads)
    again = load_heads(tmp_path / "a.heads")
    assert all(torch.equal(one.weight, other.weight) for one, other in zip(heads, again, strict=True))
    assert again[1].bias is None
