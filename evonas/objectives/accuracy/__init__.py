"""Estimators of accuracy: shared weights, short trainings, and what combines them with free scores."""
