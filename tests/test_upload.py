import torch

from lit_cnn.upload import upload


def test_values_on_the_cpu_are_returned_as_they_are() -> None:
    values = torch.arange(3)
    assert upload(values, torch.device("cpu")) is values


def test_values_arrive_on_another_device_with_shape_and_type() -> None:
    uploaded = upload(torch.zeros(2, 3, dtype=torch.int64), torch.device("meta"))
    assert (uploaded.device.type, uploaded.shape, uploaded.dtype) == ("meta", (2, 3), torch.int64)
