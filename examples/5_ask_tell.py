"""Ask and tell: the search proposes candidates, you evaluate them any way you like and report the values."""

import sys
import tempfile
from pathlib import Path

import evonas


def my_error(architecture):
    """Return any number to minimize: here a made-up one, in your program a training or a device's answer."""
    text = str(architecture)
    return 0.5 / (1 + 2 * text.count("nor_conv_3x3") + text.count("nor_conv_1x1") + 0.5 * text.count("skip_connect"))


folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
arguments = {
    "space": "nasbench201", "objectives": ("error:min", "flops"), "constraints": "flops<=60e6",
    "population": 10, "seed": 0, "out": folder / "study",
}  # fmt: skip

with evonas.Study(**arguments) as study:  # flops are computed by the study itself
    while len(study) < 40:
        for candidate in study.ask(5):
            study.tell(candidate, {"error": my_error(candidate.architecture)})

with evonas.Study(**arguments) as study:  # made again with the same arguments it goes on where it stopped
    print(f"{len(study)} candidates are known already")
    while len(study) < 60:
        for candidate in study.ask(5):
            study.tell(candidate, {"error": my_error(candidate.architecture)})
    print(f"{len(study.front)} members on the front")
    for member in study.front:
        print(f"  error {member.values['error']:.3f}  flops {member.values['flops']:,.0f}  {member.architecture}")
