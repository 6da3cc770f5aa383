"""Ensembles: members of a front whose averaged probabilities are best under a bound on their cost together.

`make_ensemble` chooses them on validation images and deploys them as one ONNX model.
"""
