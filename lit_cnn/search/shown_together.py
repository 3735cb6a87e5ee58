"""Several searches in one picture: which are replicates of each other, and whether they search the same."""

from collections.abc import Mapping, Sequence
from typing import Any

from lit_cnn.experiment.files import value_text
from lit_cnn.experiment.identity import leaves
from lit_cnn.search.settings import Settings
from lit_cnn.search.shown import Study

_WHAT = ("space", "objective", "limits", "metric", "value")
"""Settings that say what is searched."""
_HOW = ("strategy", "evaluations", "lag", "seeds", "prefilter", "pruner")
"""Settings that say how; searches that have them in common are replicates."""
_SEED = "seed_everything"


def by_setting(studies: Sequence[Study]) -> dict[str, list[Study]]:
    """Name of a strategy, with the settings that tell it from others of the same name -> its searches.

    Raises:
        ValueError: If the searches do not search the same, or two of a strategy have the same seed.
    """
    for study in studies[1:]:
        _require_same(studies[0], study)
    grouped: dict[str, list[Study]] = {}
    for study in studies:
        grouped.setdefault(value_text(_stated(study.parts.settings, _HOW)), []).append(study)
    for group in grouped.values():
        _require_other_seeds(group)
    names = _names([_stated(group[0].parts.settings, _HOW) for group in grouped.values()])
    return dict(zip(names, grouped.values(), strict=True))


def _stated(settings: Settings, keys: Sequence[str]) -> dict[str, Any]:
    """Dotted keys and values of a part of the settings."""
    stated = settings.as_dict()
    return dict(leaves("", {key: stated[key] for key in keys}))


def _require_same(first: Study, other: Study) -> None:
    """Raises ValueError if two searches differ in more than how they search."""
    parts = [
        {f"search.{key}": value for key, value in _stated(study.parts.settings, _WHAT).items()} | study.sweep.identity
        for study in (first, other)
    ]
    different = [key for key in _differing(parts) if key != _SEED]
    if different:
        key = different[0]
        more = f" and {len(different) - 1} more" if len(different) > 1 else ""
        raise ValueError(
            f"{first.folder} and {other.folder} do not search the same, they differ in {key} "
            f"({parts[0].get(key)!r} and {parts[1].get(key)!r}){more}: show them one by one"
        )


def _require_other_seeds(group: Sequence[Study]) -> None:
    """Raises ValueError if two searches of a strategy have the same seed, and so the same draws."""
    known: dict[int, Study] = {}
    for study in group:
        seed = study.parts.settings.seed
        if seed in known:
            raise ValueError(
                f"{known[seed].folder} and {study.folder} are searches of one strategy with search.seed {seed}, so one "
                "does not replicate the other: show one of them, or run one with another --search.seed"
            )
        known[seed] = study


def _differing(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys that not all have with the same value."""
    keys = dict.fromkeys(key for part in parts for key in part)
    return [key for key in keys if any(part.get(key) != parts[0].get(key) for part in parts)]


def _names(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each one's strategy, with what differs from others of the same name: ``evolution (population=10)``."""
    names = []
    for one in settings:
        name = str(one["strategy.name"])
        keys = _differing([other for other in settings if other["strategy.name"] == name])
        told = [f"{key.removeprefix('strategy.')}={value_text(one[key])}" for key in keys if key in one]
        names.append(f"{name} ({', '.join(told)})" if told else name)
    return names
