from __future__ import annotations

import math

from evonas.deployment.verification import Verification, VerifiedNumber


def number(name: str, now: float, noise: float, index: int | None = 0) -> VerifiedNumber:
    return VerifiedNumber(index, "a", name, 1.0, now, noise, f"by {name}")


def test_a_number_moves_beyond_its_noise_and_where_it_cannot_be_measured():
    assert [number("acc", now, 0.25).moved for now in (0.75, 1.25, 1.3, math.nan)] == [False, False, True, True]


def test_the_summary_names_what_moved_what_held_and_what_was_skipped():
    verification = Verification(
        [
            number("acc", 1.1, 0.2),
            number("flops", 2.0, 0.0),
            number("flops", 3.0, 0.0, None),
            number("flops", 1.0, 0.0),
        ],
        {"latency": "a sum"},
    )
    assert verification.summary() == [
        "Moved by more than its noise: flops of 0, ?",
        "2 of 4 numbers hold within their noise.",
        "  acc: by acc",
        "  flops: by flops; no noise",
        "  latency was not measured: a sum",
    ]
