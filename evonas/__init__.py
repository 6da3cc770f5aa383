"""Evolutionary multi-objective neural architecture search, from data to a verified ONNX model."""

__version__ = "0.1.0"
