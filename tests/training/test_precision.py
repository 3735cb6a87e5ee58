"""What auto means on machines that are not here, with faked answers of torch, oneDNN and CUDA."""

from typing import Any

import pytest
import torch

from lit_cnn.training import precision
from lit_cnn.training.precision import (
    PrecisionChoice,
    choose_precision,
    device_kind,
    emulation_factor,
    emulation_warning,
    evaluation_precision,
    missing_bf16,
)


@pytest.mark.parametrize("instruction", ["avx512_bf16", "amx_bf16"])
def test_a_cpu_with_bfloat16_instructions_trains_in_bfloat16(instruction: str, machine: Any) -> None:
    machine(("avx2", "avx512_f", instruction))
    assert choose_precision("auto").precision == "bf16-mixed"


def test_a_cpu_whose_type_check_alone_says_yes_trains_in_float32(machine: Any) -> None:
    """AVX-512 without BF16: oneDNN supports the type, but computes it in software."""
    machine(("avx2", "avx512_f"), onednn=True)
    assert choose_precision("auto").precision == "32-true"
    assert missing_bf16() == "this CPU has no bfloat16 instructions (AVX-512 BF16 or AMX)"


def test_a_cpu_whose_capabilities_alone_say_yes_trains_in_float32(machine: Any) -> None:
    machine(("avx512_bf16",), onednn=False)
    assert choose_precision("auto").precision == "32-true"
    assert missing_bf16() == "oneDNN does not use this CPU's bfloat16 instructions"


@pytest.mark.parametrize("variable", ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"])
@pytest.mark.parametrize("limit", ["SSE41", "AVX2", "avx512_core", "AVX512_CORE_VNNI"])
def test_a_limit_of_onednn_is_respected_whatever_its_check_says(variable: str, limit: str, machine: Any) -> None:
    machine(("avx512_bf16",), onednn=True, limit={variable: limit})
    assert choose_precision("auto").precision == "32-true"
    assert missing_bf16() == f"{variable}={limit.upper()} switches this CPU's bfloat16 instructions off"


@pytest.mark.parametrize("limit", ["ALL", "DEFAULT", "AVX512_CORE_BF16", "AVX512_CORE_AMX"])
def test_a_limit_above_bfloat16_changes_nothing(limit: str, machine: Any) -> None:
    machine(("avx512_bf16",), limit={"ONEDNN_MAX_CPU_ISA": limit, "DNNL_MAX_CPU_ISA": "AVX2"})
    assert choose_precision("auto").precision == "bf16-mixed"


def test_a_torch_without_capabilities_trains_in_float32(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    machine()
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert choose_precision("auto").precision == "32-true"


@pytest.mark.parametrize(
    ("gpus", "expected"),
    [
        (((9, 0),), "bf16-mixed"),
        (((8, 0), (8, 6)), "bf16-mixed"),
        (((7, 5),), "16-mixed"),
        (((7, 0),), "16-mixed"),
        (((6, 1),), "32-true"),
        (((9, 0), (7, 0)), "16-mixed"),
        (((10, 0), (8, 9)), "bf16-mixed"),
    ],
)
def test_gpus_go_by_the_oldest_compute_capability(
    gpus: tuple[tuple[int, int], ...], expected: str, machine: Any
) -> None:
    machine(("avx512_bf16",), gpus=gpus)
    for accelerator in ("auto", "gpu", "cuda"):
        assert choose_precision("auto", accelerator).precision == expected
    oldest = min(gpus)
    assert f"compute capability {oldest[0]}.{oldest[1]}" in str(choose_precision("auto"))


def test_a_run_on_the_cpu_of_a_machine_with_a_gpu_goes_by_the_cpu(machine: Any) -> None:
    machine(gpus=((9, 0),))
    assert choose_precision("auto", "cpu").precision == "32-true"
    assert choose_precision("bf16-mixed", "cpu").emulated
    assert not choose_precision("bf16-mixed", "auto").emulated


@pytest.mark.parametrize("accelerator", ["auto", "gpu", "mps"])
def test_apple_trains_in_float32(accelerator: str, machine: Any) -> None:
    machine(apple=True)
    assert choose_precision("auto", accelerator).precision == "32-true"


def test_other_accelerators_train_in_float32(machine: Any) -> None:
    machine()
    assert device_kind("tpu") == "other"
    assert choose_precision("auto", "tpu").precision == "32-true"


@pytest.mark.slow
@pytest.mark.parametrize("stated", ["bf16-mixed", "bf16", "16-mixed", 16, "bf16-true"])
def test_a_stated_half_precision_is_kept_and_warned_of_where_it_is_emulated(stated: Any, machine: Any) -> None:
    machine(("avx2",))
    choice = choose_precision(stated)
    assert choice == PrecisionChoice(stated, "as the recipe states", emulated=True)
    assert "times as long as in float32" in (emulation_warning(choice) or "")
    machine(("avx512_bf16",))
    assert emulation_warning(choose_precision(stated)) is None


@pytest.mark.parametrize("stated", ["32-true", "64-true", 32, None])
def test_a_stated_full_precision_is_kept_without_a_word(stated: Any, machine: Any) -> None:
    machine(("avx2",))
    assert choose_precision(stated) == PrecisionChoice(stated, "as the recipe states")
    assert emulation_warning(choose_precision(stated)) is None


def test_the_line_says_which_and_why(machine: Any) -> None:
    machine(("avx512_bf16",))
    assert str(choose_precision("auto")) == "precision: bf16-mixed, because this CPU has bfloat16 instructions"
    assert str(choose_precision(None, stated_by="the run")) == "precision: 32-true, as the run states"


def test_the_factor_is_the_time_in_bfloat16_over_that_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(precision.time, "perf_counter", lambda: now[0])
    convolve = torch.nn.Conv2d.forward

    def slow(self: torch.nn.Conv2d, images: torch.Tensor) -> torch.Tensor:
        now[0] += 6.0 if torch.is_autocast_enabled("cpu") else 2.0
        return convolve(self, images)

    monkeypatch.setattr(torch.nn.Conv2d, "forward", slow)
    assert emulation_factor(rounds=1) == 3.0


def test_evaluation_takes_the_runs_precision_unless_it_would_be_emulated(machine: Any) -> None:
    machine(("avx512_bf16",))
    assert evaluation_precision("bf16-mixed").precision == "bf16-mixed"
    assert evaluation_precision("16-mixed").precision == "32-true"  # Lightning would compute it in bfloat16 on a CPU
    assert evaluation_precision("64-true").precision == "64-true"
    machine(("avx2",))
    assert evaluation_precision("bf16-mixed").precision == "32-true"
    assert evaluation_precision(None).precision is None
    machine(gpus=((7, 5),))
    assert evaluation_precision("16-mixed").precision == "16-mixed"
