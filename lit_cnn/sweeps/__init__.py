"""Sweeps: which values of a recipe's keys are best."""
