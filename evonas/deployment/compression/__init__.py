"""Smaller and faster forms of a model: 8-bit integers, 8-bit weights, half-precision weights, and which of them pays.

`quantize` writes weights and activations as 8-bit integers, `store_weights` weights alone, `correct_biases` takes out
what rounded weights shift, and `compress` tries all of it and keeps what is on the front of accuracy, size and latency.
"""
