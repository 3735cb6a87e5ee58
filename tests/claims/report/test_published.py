"""The papers' figures in the lecture's tables are those of tests/facts, and none of them is unverified there."""

from typing import Any

from stored_facts import stored_facts

from lit_cnn.claims.catalog import CLAIMS
from lit_cnn.claims.report.published import COMPOUND_SCALING, CUT_MIX, ENSEMBLES, RAND_AUGMENT, RESOLUTIONS


def rows_of(name: str) -> list[dict[str, Any]]:
    (fact,) = (fact for fact in stored_facts("claims") if fact["id"] == name)
    assert fact["status"] == "verified"
    return fact["rows"]


def test_rand_augment() -> None:
    cifar = {row["model"]: row for row in rows_of("randaugment_cifar")}
    imagenet = {row["model"]: row for row in rows_of("randaugment_imagenet")}
    assert len(RAND_AUGMENT.rows) == 9
    for row in RAND_AUGMENT.rows:
        data, network = row.name.split(", ")
        fact = imagenet[network] if data == "ImageNet" else cifar[network]
        prefix = "" if data == "ImageNet" else data.lower().replace("-", "") + "_"
        assert row.figures == tuple(fact.get(f"{prefix}{method}_percent") for method in ("base", "aa", "ra")), row.name


def test_cut_mix() -> None:
    names = {"mixup alpha 1.0": "mixup", "CutMix": "CutMix", "cutout": "cutout", "baseline": "baseline"}
    for row, fact in zip(CUT_MIX.rows, ("cutmix_cifar10", "cutmix_cifar100", "cutmix_imagenet"), strict=True):
        known = {names.get(each.get("method", ""), each.get("method")): each["error_percent"] for each in rows_of(fact)}
        assert row.figures == tuple(known[method] for method in CUT_MIX.columns), row.name


def test_compound_scaling() -> None:
    for row in COMPOUND_SCALING.rows:
        base = row.name.removeprefix("ImageNet, ")
        known = {each["scaling"].split()[0]: each["top1_percent"] for each in rows_of("compound_scaling")
                 if each["base"] == base}  # fmt: skip
        assert row.figures == tuple(known.get(each) for each in ("none", "depth", "width", "resolution", "compound"))


def test_ensembles() -> None:
    names = ("AlexNet 5 nets", "ZFNet 5 nets", "VGG 2 nets test", "GoogLeNet 7 models 144 crops",
             "ResNet ensemble test", "SENet ensemble test")  # fmt: skip
    known = {row["model"]: row["error_percent"] for row in rows_of("ensembles_imagenet")}
    assert [each.top5_error for each in ENSEMBLES] == [known[name] for name in names]
    assert [each.name for each in ENSEMBLES] == [name.split()[0] for name in names]


def test_resolutions() -> None:
    known = {fact["resolution_px"]: fact for fact in stored_facts("architectures")
             if fact["id"].startswith("mobilenetv1_1.0_")}  # fmt: skip
    for side, top1, madds in RESOLUTIONS:
        assert (known[side]["top1_percent"], known[side]["madds_paper_millions"]) == (top1, madds)


def test_the_runs_below_the_papers_rows_are_arms_of_their_claims() -> None:
    for table in (COMPOUND_SCALING, CUT_MIX, RAND_AUGMENT):
        assert len(table.arms) == len(table.columns)
        assert {len(row.figures) for row in table.rows} == {len(table.columns)}
        design = CLAIMS[table.claim].designs["cpu"]
        known = design.stored_runs() if design.stored_runs else {arm.name for arm in design.arms}
        assert set(table.arms) <= set(known)
