"""Latency: tables of measured blocks, their error on whole networks."""
