"""Robustness: the share of images that is still classified as labeled when images are changed.

``robust:NAME`` or ``robust:NAME@ARGUMENTS``, such as ``robust:pgd@4/255x10``: `read_robust` finds who reads the
arguments in `KINDS` and returns a `Perturbation`; `RobustEvaluator` reads it on networks.
"""
