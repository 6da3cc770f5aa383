from __future__ import annotations

from typing import Any

from evonas.pareto.objective import Objective
from evonas.report.trust import trust_line, trust_rows, trust_sentences


def manifest(**changes: Any) -> dict[str, Any]:
    acc = {"tau": 0.5, "low": 0.1, "high": 0.8, "n": 12, "needed": 11}
    trust = {
        "agreement": {"acc": acc, "flops": {**acc, "tau": 0.25}, "swap": {**acc, "tau": None}},
        "anchors": 12,
        "top": 7,
        "calibrated": True,
        "error": 0.021,
        "noise": 0.018,
    }
    anchors = {"levels": [2, 6], "failed": 1, "epochs": 52, "seconds": 30.2}
    trust |= {key: value for key, value in changes.items() if key in trust}
    trust["agreement"]["acc"] |= {key: value for key, value in changes.items() if key in acc}
    return {"acc_trust": trust, "anchors": anchors, "timings": {"search_seconds": 240.4}}


def test_a_run_without_anchors_says_nothing() -> None:
    assert trust_sentences({}) == []


def test_what_accuracy_is_and_how_well_it_orders() -> None:
    assert trust_sentences(manifest()) == [
        "acc is the accuracy after 6 epochs of training alone, predicted by a ranker that 12 such trainings have "
        "taught (7 of them to the end, 1 more failed); acc_low and acc_high hold it with 95 %.",
        "Over these 7 it is 2.1 points off on average, each predicted without itself; counting on so few images alone "
        "is 1.8 off.",
        "Kendall's tau with the anchors, acc predicting each without itself (95 % interval): acc 0.50 (0.10 to 0.80), "
        "FLOPs 0.25.",
        "The anchors trained 52 epochs in all, 30 s of the search's 240.",
    ]


def test_an_order_that_does_not_beat_chance_says_by_which_number_it_could() -> None:
    lines = trust_sentences(manifest(tau=0.2, low=-0.2, needed=48))
    assert (
        "With 12 anchors the order by acc is not shown to beat chance; with about 48 a correlation of this size would "
        "be (--anchors N)." in lines
    )
    assert any("more may show otherwise" in line for line in trust_sentences(manifest(tau=-0.2, low=-0.5, needed=None)))


def test_a_score_says_why_it_is_one() -> None:
    first, *others = trust_sentences(manifest(calibrated=False, top=3, error=None, noise=None))
    assert first.startswith("acc is a score without a unit: 3 of 12 anchors were trained all 6 epochs")
    assert not any("points off" in line for line in others)


def test_anchors_that_tell_nothing() -> None:
    lines = trust_sentences(manifest(tau=None, low=None, high=None, needed=None))
    assert "Kendall's tau with the anchors, acc predicting each without itself (95 % interval): FLOPs 0.25." in lines


ACC, FLOPS, SWAP = Objective("acc", "", "max"), Objective("flops", "", "min"), Objective("swap", "", "max")


def test_one_line_says_how_far_to_trust_and_fits_eighty_columns() -> None:
    lines = {
        "known": trust_line(manifest(), {}, [ACC, FLOPS]),
        "chance": trust_line(manifest(tau=0.2, low=-0.2, needed=48), {}, [ACC, FLOPS]),
        "score": trust_line(manifest(calibrated=False, top=3, error=None, noise=None), {}, [ACC, FLOPS]),
        "nothing": trust_line(manifest(tau=None, low=None, high=None), {}, [ACC, FLOPS]),
        "untested": trust_line({}, {}, [ACC, FLOPS]),
        "other": trust_line({}, {}, [SWAP, FLOPS]),
        "table": trust_line({}, {"table": ["t.csv"]}, [ACC, FLOPS]),
        "costs": trust_line({}, {}, [FLOPS]),
    }
    assert lines["known"] == "Trust: rank correlation with 12 trainings 0.50 (0.10 to 0.80), 2.1 points off."
    assert lines["chance"] == "Trust: low. Over 12 trainings the order by acc is not shown to beat chance."
    assert lines["score"] == "Trust: rank correlation with 12 trainings 0.50 (0.10 to 0.80)."
    assert "too little" in lines["nothing"]
    assert "acc only ranks, untested by trainings" in lines["untested"]
    assert "swap only ranks" in lines["other"]
    assert "measured before" in lines["table"]
    assert all(line.startswith("Trust: ") and len(line) <= 80 for line in lines.values()), lines


def test_rows_have_what_is_known_and_its_interval() -> None:
    assert trust_rows(manifest()) == [
        ("acc", "0.50", "0.10 to 0.80", "12"),
        ("FLOPs", "0.25", "0.10 to 0.80", "12"),
    ]
    assert trust_rows({"acc_trust": None}) == []
