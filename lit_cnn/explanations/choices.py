"""What a user chooses of explanations, in plain values."""

from typing import Literal, get_args

Method = Literal["cam", "grad-cam", "occlusion"]
"""How a map is computed: exact class activation map, Grad-CAM, or covering parts of the image."""
METHODS: tuple[Method, ...] = get_args(Method)
AUTO = "auto"
"""The exact map where the network's head allows one, Grad-CAM elsewhere."""
