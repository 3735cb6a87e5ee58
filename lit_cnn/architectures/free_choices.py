"""Options on which papers are silent or programs differ, and which no tensor's shape shows: weights of one choice fit a
network of another, and give it the accuracy of chance or a little less than they should."""

from dataclasses import dataclass

from lit_cnn.architectures.entry import Entry, Value


@dataclass(frozen=True)
class FreeChoice:
    """One option of networks of the catalog.

    Args:
        option: Its name.
        values: What programs choose.
        said: In what they differ.
    """

    option: str
    values: tuple[Value, ...]
    said: str


FREE_CHOICES = (
    FreeChoice("shortcut", ("zero_pad", "zero_pad_both", "projection"),
               "option A's zero channels are appended, or half of them put on each side"),
    FreeChoice("stride_in", ("3x3", "1x1"), "which convolution of a bottleneck strides"),
    FreeChoice("padding", ("tensorflow", "symmetric"), "TensorFlow pads strided convolutions right and bottom"),
    FreeChoice("norm_eps", (1e-3, 1e-5), "epsilon of batch norm: TensorFlow's or PyTorch's"),
    FreeChoice("activation", ("relu", "relu6"), "the paper's ReLU, or ReLU6 of the released code"),
    FreeChoice("response_norm", ("paper", "caffe", "none"), "whether alpha is divided by the size of the window"),
    FreeChoice("count_padding", (False, True), "whether average pools count the zeros around the map"),
    FreeChoice("epsilon", ("floor", "added"), "how weight standardization guards against a variance of 0"),
    FreeChoice("excite_activation", ("relu", "gelu"), "activation inside squeeze-and-excitation"),
    FreeChoice("concat", ("pool_first", "residual_first"), "order of the channels after a concatenation"),
    FreeChoice("shuffle", ("to_groups", "from_groups"), "order of the channels after a shuffle"),
    FreeChoice("classifier_bias", (False, True), "whether the classifier has a bias"),
    FreeChoice("aux_heads", (False, True), "whether auxiliary heads are stored"),
)  # fmt: skip


def free_choices(entry: Entry) -> list[FreeChoice]:
    """Those that the network has, each with its own default first; none of a plain net's missing shortcut."""
    defaults = entry.option_defaults()
    found = []
    for choice in FREE_CHOICES:
        if choice.option in defaults:
            first = defaults[choice.option]
            rest = tuple(value for value in choice.values if value != first)
            found.append(FreeChoice(choice.option, (first, *rest), choice.said))
    return found
