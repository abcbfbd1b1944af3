"""Keras functional networks from frames to poses.

Importing this room imports Keras, and says what to install where no backend is.
"""

from posenb._optional import require_keras

require_keras()

from posenb.models.backbones import backbone_names, build_backbone, get_backbone  # noqa: E402
from posenb.models.calibration import calibrate  # noqa: E402
from posenb.models.compiling import accelerator, jit_compile  # noqa: E402
from posenb.models.export import export_network  # noqa: E402
from posenb.models.files import (  # noqa: E402
    load_network,
    load_predictor,
    read_description,
    save_predictor,
)
from posenb.models.layers import (  # noqa: E402
    OFFSET_SCALE,
    DecodePeaks,
    Normalise,
    PadToMultiple,
    Resize,
    ToSource,
)
from posenb.models.losses import cell_centres, pose_loss, scoremap_targets  # noqa: E402
from posenb.models.network import (  # noqa: E402
    HEADS,
    build_network,
    build_normalise,
    build_predictor,
)
from posenb.models.planes import ToRGB  # noqa: E402
from posenb.models.rescaling import rescale_predictor  # noqa: E402

__all__ = [
    "HEADS",
    "OFFSET_SCALE",
    "DecodePeaks",
    "Normalise",
    "PadToMultiple",
    "Resize",
    "ToRGB",
    "ToSource",
    "accelerator",
    "backbone_names",
    "build_backbone",
    "build_network",
    "build_normalise",
    "build_predictor",
    "calibrate",
    "cell_centres",
    "export_network",
    "get_backbone",
    "jit_compile",
    "load_network",
    "load_predictor",
    "pose_loss",
    "read_description",
    "rescale_predictor",
    "save_predictor",
    "scoremap_targets",
]
