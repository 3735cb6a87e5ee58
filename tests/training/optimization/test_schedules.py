import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lit_cnn.training.optimization.schedules import PlateauLR, ScheduleSettings, factor, make_scheduler

TOTAL, PER_EPOCH = 100, 10


def curve(settings: ScheduleSettings, total: int = TOTAL) -> list[float]:
    return [factor(settings, step, total_steps=total, steps_per_epoch=PER_EPOCH) for step in range(total)]


def rates_used(settings: ScheduleSettings, total: int = TOTAL, peak: float = 0.4) -> list[float]:
    """The rates of a real optimizer, recorded at each of its updates."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=peak)
    scheduler = make_scheduler(optimizer, settings, total, PER_EPOCH)
    rates = []
    for _ in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize(
    ("settings", "first", "after_warmup", "last"),
    [
        (ScheduleSettings("cosine", warmup_epochs=2, warmup_start_factor=0.1, final_factor=0.01), 0.1, 1.0, 0.01),
        (ScheduleSettings("cosine", warmup_epochs=2), 0.0, 1.0, 0.0),
        (ScheduleSettings("polynomial", warmup_epochs=2, power=2.0, final_factor=0.2), 0.0, 1.0, 0.2),
        (ScheduleSettings("step", warmup_epochs=2, step_epochs=(3, 6)), 0.0, 1.0, 0.01),
        (ScheduleSettings("exponential", warmup_epochs=2, decay_rate=0.5, decay_epochs=2), 0.0, 1.0, 0.5**3),
        (ScheduleSettings("constant", warmup_epochs=2, warmup_start_factor=0.5), 0.5, 1.0, 1.0),
    ],
)
def test_rates_of_the_first_update_the_end_of_warmup_and_the_last_update(
    settings: ScheduleSettings, first: float, after_warmup: float, last: float
) -> None:
    rates = rates_used(settings, peak=0.4)
    assert rates[0] == pytest.approx(0.4 * first)
    assert rates[20] == 0.4 * after_warmup
    assert rates[19] < rates[20]
    assert rates[99] == pytest.approx(0.4 * last, abs=1e-15)


def test_without_warmup_the_first_update_uses_the_peak_rate() -> None:
    assert rates_used(ScheduleSettings("cosine"))[0] == 0.4


def test_cosine_is_half_way_down_in_the_middle() -> None:
    values = curve(ScheduleSettings("cosine", warmup_epochs=1, final_factor=0.2), total=111)
    assert values[60] == pytest.approx(0.6)
    assert values[35] == pytest.approx(0.2 + 0.8 * (1 + math.cos(math.pi / 4)) / 2)


def test_polynomial_follows_its_power() -> None:
    values = curve(ScheduleSettings("polynomial", power=2.0, final_factor=0.1), total=101)
    assert values[25] == pytest.approx(0.1 + 0.9 * 0.75**2)


def test_step_counts_epochs_from_the_start_of_the_run() -> None:
    values = curve(ScheduleSettings("step", warmup_epochs=1, step_epochs=(3, 6.5), step_factor=0.1))
    assert values[10:30] == [1.0] * 20
    assert values[30:65] == pytest.approx([0.1] * 35)
    assert values[65:] == pytest.approx([0.01] * 35)


def test_exponential_counts_epochs_from_the_end_of_warmup() -> None:
    stairs = curve(ScheduleSettings("exponential", warmup_epochs=1))
    assert stairs[10:34] == [1.0] * 24  # 2.4 epochs
    assert stairs[34:58] == [0.97] * 24
    smooth = curve(ScheduleSettings("exponential", warmup_epochs=1, staircase=False))
    assert smooth[22] == pytest.approx(0.97**0.5)
    assert smooth[34] == pytest.approx(0.97)


@given(
    name=st.sampled_from(["cosine", "polynomial", "constant"]),
    warmup=st.floats(0, 10),
    start=st.floats(0, 1),
    final=st.floats(0, 1),
    power=st.floats(1, 3),
)
def test_smooth_schedules_rise_to_exactly_one_and_then_never_rise_or_jump(
    name: str, warmup: float, start: float, final: float, power: float
) -> None:
    settings = ScheduleSettings(name, warmup, start, power=power, final_factor=final)
    values, peak = curve(settings), round(warmup * PER_EPOCH)
    assert values[:peak] == sorted(values[:peak])
    assert values[peak:] == sorted(values[peak:], reverse=True)
    if peak < TOTAL:
        assert values[peak] == 1.0
        remaining = max(1, TOTAL - 1 - peak)
        assert all(abs(b - a) <= 3.2 / remaining for a, b in zip(values[peak:], values[peak + 1 :], strict=False))
    if peak < TOTAL - 1:
        assert values[-1] == (1.0 if name == "constant" else pytest.approx(final, abs=1e-15))


def test_steps_beyond_the_run_keep_the_last_rate() -> None:
    settings = ScheduleSettings("exponential")
    at = [factor(settings, step, total_steps=TOTAL, steps_per_epoch=PER_EPOCH) for step in (99, 100, 10_000)]
    assert at[0] == at[1] == at[2] < 1


def test_a_run_of_one_update_uses_the_peak_rate() -> None:
    assert curve(ScheduleSettings("cosine"), total=1) == [1.0]


def test_state_is_plain_and_resumes_exactly(tmp_path) -> None:
    settings = ScheduleSettings("cosine", warmup_epochs=1)
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.4)
    scheduler = make_scheduler(optimizer, settings, TOTAL, PER_EPOCH)
    for _ in range(37):
        optimizer.step()
        scheduler.step()
    torch.save({"schedule": scheduler.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "state.pt")
    state = torch.load(tmp_path / "state.pt", weights_only=True)

    resumed = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.4)
    again = make_scheduler(resumed, settings, TOTAL, PER_EPOCH)
    again.load_state_dict(state["schedule"])
    resumed.load_state_dict(state["optimizer"])
    rates = []
    for _ in range(37, TOTAL):
        rates.append(resumed.param_groups[0]["lr"])
        resumed.step()
        again.step()
    assert rates == rates_used(settings)[37:]


def test_a_warmup_longer_than_the_run_is_refused() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.4)
    with pytest.raises(ValueError, match=r"warmup_epochs is 11, longer than the run of 10 epochs"):
        make_scheduler(optimizer, ScheduleSettings(warmup_epochs=11), TOTAL, PER_EPOCH)
    make_scheduler(optimizer, ScheduleSettings(warmup_epochs=10), TOTAL, PER_EPOCH)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "cosin"}, "schedule.name"),
        ({"warmup_epochs": -1}, "schedule.warmup_epochs"),
        ({"warmup_start_factor": 2}, "schedule.warmup_start_factor"),
        ({"name": "step", "warmup_epochs": 40}, "schedule.step_epochs"),
        ({"step_factor": 0}, "schedule.step_factor"),
        ({"decay_rate": 1.5}, "schedule.decay_rate"),
        ({"decay_epochs": 0}, "schedule.decay_epochs"),
        ({"power": 0}, "schedule.power"),
        ({"final_factor": -0.1}, "schedule.final_factor"),
    ],
)
def test_wrong_settings_are_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ScheduleSettings(**options)


def make_plateau(**changes: object) -> tuple[torch.optim.Optimizer, PlateauLR]:
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.4)
    settings = ScheduleSettings("plateau", **{"plateau_patience": 2, "plateau_drops": 2, **changes})
    scheduler = make_scheduler(optimizer, settings, TOTAL, PER_EPOCH)
    assert isinstance(scheduler, PlateauLR)
    return optimizer, scheduler


def test_a_plateau_lowers_the_rate_at_once_after_patience_validations_without_a_new_best() -> None:
    optimizer, scheduler = make_plateau()
    rates = []
    for score in (0.5, 0.6, 0.6, 0.55, 0.61, 0.61, 0.6, 0.6, 0.6):
        optimizer.step()
        scheduler.step()
        scheduler.observe(score)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.4, 0.4, 0.4, 0.04, 0.04, 0.04, 0.004, 0.004, 0.004])
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] == rates[-1]


def test_a_plateau_warms_up_and_its_state_continues() -> None:
    optimizer, scheduler = make_plateau(warmup_epochs=1)
    assert optimizer.param_groups[0]["lr"] == 0.0
    for _ in range(10):
        optimizer.step()
        scheduler.step()
    assert optimizer.param_groups[0]["lr"] == 0.4
    scheduler.observe(0.5)
    scheduler.observe(0.5)
    other_optimizer, other = make_plateau(warmup_epochs=1)
    other_optimizer.load_state_dict(optimizer.state_dict())
    other.load_state_dict(scheduler.state_dict())
    other.observe(0.5)
    assert other_optimizer.param_groups[0]["lr"] == pytest.approx(0.04)


def test_an_epoch_may_be_one_update() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.4)
    assert make_scheduler(optimizer, ScheduleSettings("constant"), 3, 1).get_last_lr() == [0.4]
