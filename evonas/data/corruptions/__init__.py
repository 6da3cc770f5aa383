"""Common corruptions of images: noise, blur, weather and digital kinds at five severities, as batched tensor code.

Written from the published definitions (Hendrycks and Dietterich 2019), for images of any size and number of channels::

    noisy = corrupt(images, "gaussian_noise", 3, seed=0)

Two kinds differ from the published code: glass blur moves all pixels at once, and frost is drawn, not photographed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonas.files.lazy import lazy_names

if TYPE_CHECKING:
    from evonas.data.corruptions.corrupt import corrupt
    from evonas.data.corruptions.distinct import Distinct, tell_apart
    from evonas.data.corruptions.kinds import GROUPS, KINDS, kinds_of

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "corrupt": ("corrupt",),
        "distinct": ("Distinct", "tell_apart"),
        "kinds": ("GROUPS", "KINDS", "kinds_of"),
    },
)

__all__ = ["GROUPS", "KINDS", "Distinct", "corrupt", "kinds_of", "tell_apart"]
