"""Options travel as small frozen configs; unknown keys raise."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from posenb._names import unknown_name
from posenb.errors import ConfigError

__all__ = [
    "AnalyzeConfig",
    "AugmentationConfig",
    "Config",
    "ModelConfig",
    "SplitConfig",
    "TrainConfig",
    "explain",
]

Fraction = Annotated[float, Field(ge=0, lt=1)]
Scale = Annotated[float, Field(ge=0.25, le=4)]
Probability = Annotated[float, Field(ge=0, le=1)]


def _url_of(value: object) -> object:
    """Let a run stand for its URL, and a path for its text."""
    url = getattr(value, "url", value)
    return os.fspath(url) if isinstance(url, os.PathLike) else url


def explain(what: str, error: ValidationError) -> ConfigError:
    """Turn pydantic's report into one readable error."""
    parts = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"]) or what
        if problem["type"] == "extra_forbidden":
            parts.append(f"{key!r} is not an option")
        else:
            parts.append(f"{key}: {problem['msg']} (got {problem['input']!r})")
    return ConfigError(f"{what}: {'; '.join(parts)}.")


class Config(BaseModel):
    """A frozen set of options; an unknown key or a value out of range raises `ConfigError`."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            known = ", ".join(type(self).model_fields)
            problem = explain(type(self).__name__, error)
            raise ConfigError(f"{problem} Options: {known}.") from error

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some options changed, checked anew."""
        return type(self)(**{**self.model_dump(exclude_unset=True), **changes})


class ModelConfig(Config):
    """Shape of the network.

    Attributes
    ----------
    backbone : str
        Network that sees, such as mobilenet_v2, efficientnet_v2_b0, resnet_50 or
        convnext_tiny; `posenb.models.backbone_names` has them all.
    weights : str or None
        ``"imagenet"`` (Keras's own loading), any URL of a ``.weights.h5`` or ``.h5``
        file of the backbone, or None for random initialisation. None too where training
        starts from a model (`TrainConfig.start`), which brings all weights.
    stride : int
        Input pixels per map cell, 4 or 8.
    width : int
        Channels of the pyramid decoder.
    intermediate_supervision : bool
        Train a second scoremap head at the decoder's coarsest level.
    """

    backbone: str = "mobilenet_v2"
    weights: str | None = "imagenet"
    stride: Literal[4, 8] = 4
    width: int = Field(default=64, ge=8, le=512)
    intermediate_supervision: bool = True


class AugmentationConfig(Config):
    """How training frames are varied; every field may be 0 or "none" to switch it off.

    Attributes
    ----------
    rotation : float or "auto"
        Largest rotation either way, degrees. "auto" takes the circular standard
        deviation of the labelled animals' headings, between 15 and 180.
    zoom : float
        Largest change of size: 0.2 means between 1/1.2 and 1.2 times.
    translation : float
        Largest shift of the training window, as a share of its side.
    flip : {"auto", "none", "horizontal"}
        Mirror half of the frames and trade left for right keypoints. "auto" mirrors
        where headings spread as widely as they do seen from above and each keypoint that
        names a side has its partner.
    brightness, contrast : float
        Largest relative change.
    blur : float
        Share of the frames that are blurred (3 x 3 average).
    noise : float
        Largest standard deviation of Gaussian noise, in grey levels of 255.
    occlusion : float
        Probability of each of two patches that hide a part of the animal.
    """

    rotation: Annotated[float, Field(ge=0, le=180)] | Literal["auto"] = "auto"
    zoom: float = Field(default=0.2, ge=0, le=1)
    translation: float = Field(default=0.2, ge=0, le=0.5)
    flip: Literal["auto", "none", "horizontal"] = "auto"
    brightness: float = Field(default=0.2, ge=0, le=1)
    contrast: float = Field(default=0.2, ge=0, le=1)
    blur: Probability = 0.1
    noise: float = Field(default=6.0, ge=0, le=64)
    occlusion: Probability = 0.1


class SplitConfig(Config):
    """How labelled frames are divided.

    Attributes
    ----------
    test_fraction : float
        Share of the frames (or videos) only ever evaluated.
    validation_fraction : float
        Share of the *remaining* frames (or videos) that choose the checkpoint.
    by : {"frame", "video"}
        Whether frames or whole videos are drawn.
    seed : int
        Same seed, same split.
    """

    test_fraction: Fraction = 0.05
    validation_fraction: Fraction = 0.15
    by: Literal["frame", "video"] = "frame"
    seed: int = 0


class TrainConfig(Config):
    """Everything that decides a training run.

    Attributes
    ----------
    model : ModelConfig
    augmentation : AugmentationConfig
    split : SplitConfig
    scale : float or "auto"
        Size of the network's input relative to the source. "auto" chooses it from
        the labelled animals' size.
    window : int or "auto"
        Side of the square training window, pixels of the scaled input, a multiple of 32.
    steps : int
        Optimizer steps at most.
    batch_size : int
        Windows per step.
    learning_rate : float
        Peak of AdamW's schedule (linear warm-up, cosine decay).
    weight_decay : float
        Strength of AdamW's decay of weights towards zero.
    warmup : float
        Share of the steps that warm up.
    validate_every : int
        Steps between two validations. A checkpoint follows each, unless writing them
        would take more than a tenth of the time.
    patience : int
        Validations without a better one before training stops.
    mixed_precision : bool or "auto"
        Half precision on the device; "auto" uses it on GPUs and TPUs.
    radius : float or "auto"
        Reach of a keypoint's target, in pixels of the scaled input. "auto" takes 17,
        and less where the animals are small.
    unlabelled : {"absent", "unknown"}
        What it means that a keypoint has no label in a frame: that it cannot be seen there,
        so that the network learns not to find it, or that nobody said where it is, so that
        the network learns nothing of it from that frame.
    seed : int
        Decides initial weights, order of frames and augmentation.
    start : str or None
        A trained model from which training begins, instead of a backbone alone:
        ``"zoo:mouse_openfield"``, the URL of a finished run, or of its ``.keras`` file. It
        decides the shape of the network and the scale. Keypoints match by their names;
        those that it does not know begin from nothing.
    start_keypoints : dict of str to str
        Names of keypoints in the start by those in the project, where they differ by more
        than case and punctuation. A run keeps all that match.
    start_sha256 : str or None
        SHA-256 of the start's file. A run keeps it, and refuses another file.
    """

    model: ModelConfig = ModelConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    split: SplitConfig = SplitConfig()
    scale: Annotated[float, Field(gt=0, le=4)] | Literal["auto"] = "auto"
    window: Annotated[int, Field(ge=64, multiple_of=32)] | Literal["auto"] = "auto"
    steps: int = Field(default=2000, ge=1)
    batch_size: int = Field(default=4, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=1e-4, ge=0)
    warmup: Fraction = 0.05
    validate_every: int = Field(default=100, ge=1)
    patience: int = Field(default=8, ge=1)
    mixed_precision: bool | Literal["auto"] = "auto"
    radius: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    unlabelled: Literal["absent", "unknown"] = "absent"
    seed: int = Field(default=0, ge=0, lt=2**32)
    start: Annotated[str, Field(min_length=1), BeforeValidator(_url_of)] | None = None
    start_keypoints: dict[str, str] = {}
    start_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None

    @model_validator(mode="after")
    def _has_what_starts(self) -> Self:
        if self.start is None and (self.start_keypoints or self.start_sha256):
            raise ValueError("start_keypoints and start_sha256 tell of a start; give it too")
        return self

    @classmethod
    def from_options(cls, **options: Any) -> Self:
        """Build a config from options of itself and of its parts, by their bare names.

        ``TrainConfig.from_options(steps=500, backbone="resnet_50", test_fraction=0.5)``
        puts each option where it belongs; `seed` decides split and training alike, but
        where the split is given as a whole.

        Raises
        ------
        ConfigError
            If an option is unknown or out of range.
        """
        parts: dict[str, type[Config]] = {
            "model": ModelConfig,
            "augmentation": AugmentationConfig,
            "split": SplitConfig,
        }
        values = {k: v for k, v in options.items() if k in cls.model_fields}
        for part, kind in parts.items():
            own = {k: v for k, v in options.items() if k in kind.model_fields}
            if part in values and own.keys() == {"seed"}:
                continue
            if own and part in values:
                raise ConfigError(
                    f"Give {part} as a whole or its options one by one, not both; got {part} and "
                    f"{', '.join(own)}."
                )
            if own:
                values[part] = kind(**own)
        known = set(cls.model_fields).union(*(kind.model_fields for kind in parts.values()))
        unknown = [name for name in options if name not in known]
        if unknown:
            raise ConfigError(
                str(unknown_name("training option", unknown[0], tuple(sorted(known))))
            )
        return cls(**values)


class AnalyzeConfig(Config):
    """How a video is analyzed.

    Attributes
    ----------
    batch_size : int or "auto"
        Frames per forward pass. "auto" takes as many as memory allows, up to 16 on a CPU
        and 64 on a GPU or TPU; work that is under way goes on with the size it began with.
    chunk_size : int
        Most frames in a finished piece of work. A piece begins at a keyframe of the video
        where those are not farther apart.
    crop : (int, int, int, int) or None
        x1, x2, y1, y2 in pixels of the displayed video, the ends excluded
        (DeepLabCut's order). Coordinates come back in the whole frame.
    start, stop : int or None
        Frame range, the end excluded.
    runtime : {"auto", "keras", "openvino", "onnxruntime"}
        What computes. "auto" takes Keras on a GPU or TPU, otherwise OpenVINO, ONNX Runtime
        or Keras, the first of them that is installed.
    precision : {"auto", "float32", "bfloat16", "int8"}
        In what it computes. "auto" takes bfloat16 with OpenVINO on CPUs that have it, and
        float32 elsewhere; "int8" needs a run that `posenb.quantise` has quantised. bfloat16
        takes half the time of float32 and moves poses by 0.1 to 0.2 pixels on average.
    flip : bool
        Look at every frame mirrored too, and take the mean; left and right keypoints are
        told by their names. Only for models that were trained on mirrored animals.
    scales : tuple of float
        Look at every frame at these sizes, relative to that of training, such as
        (0.8, 1, 1.25), and take the mean. Each size and mirroring costs a further pass.
    """

    batch_size: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    chunk_size: int = Field(default=512, ge=1)
    crop: tuple[int, int, int, int] | None = None
    start: int = Field(default=0, ge=0)
    stop: int | None = Field(default=None, ge=1)
    runtime: Literal["auto", "keras", "openvino", "onnxruntime"] = "auto"
    precision: Literal["auto", "float32", "bfloat16", "int8"] = "auto"
    flip: bool = False
    scales: Annotated[tuple[Scale, ...], Field(min_length=1, max_length=8)] = (1.0,)
