"""Costs of networks: FLOPs, parameters, memory and size, summed over blocks or read off a graph."""
