from __future__ import annotations

from evonas.report.summary import baseline_sentence


def test_the_sentence_says_what_is_known():
    baseline = {
        "evaluations": 1200,
        "search": {"hypervolume": [0.1, 0.75]},
        "random": {"hypervolume": [0.5]},
        "improvement": None,
    }
    assert baseline_sentence(baseline) == (
        "Random sampling with 1,200 evaluations reaches hypervolume 0.5000, the search 0.7500 on the same scale."
    )
    baseline["improvement"] = {
        "value": 5.0, "low": -1.0, "high": 9.0, "confidence": 0.95, "pairs": 8, "unmatched": 1,
    }  # fmt: skip
    assert "+5.0 % (95% interval -1.0 to +9.0 %) over 8 pairs; 1 more had no" in baseline_sentence(baseline)
    baseline["improvement"] |= {"low": None, "high": None, "confidence": None, "pairs": 1}
    assert "+5.0 % over 1 pair, too few to tell;" in baseline_sentence(baseline)
