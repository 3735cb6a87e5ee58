"""The worst images are explained: the said class of each, and the true one where the answer is wrong."""

from fitted_run import FittedRun

from lit_cnn.evaluation.recorded_data import load_network
from lit_cnn.handover.explained import EXPLAINED, explain_worst
from lit_cnn.handover.results import evaluate


def test_each_worst_image_has_its_maps_in_order(fitted: FittedRun) -> None:
    trained = load_network(str(fitted.best), "ema", ())
    results, images = evaluate(trained, None, "val")
    found = explain_worst(trained, images, results)
    expected = []
    for image in results.worst[:EXPLAINED]:
        expected.append((image.place, image.true, image.said))
        expected += [(image.place, image.true, image.true)] if image.true != image.said else []
    assert [(each.place, each.true, each.explained) for each in found.maps] == expected
    assert all(each.pixels.shape == (3, 16, 16) for each in found.maps)
    assert found.method == "class activation maps"
    said = {image.place: image.probability for image in results.worst}
    assert all(abs(each.probability - said[each.place]) < 1e-5 for each in found.maps if each.explained != each.true)
