"""Performance estimation: how good a network will be after full training, for less than full training costs.

Training for fewer epochs is an estimator, too, and needs nothing here: it is a recipe with a smaller
``trainer.max_epochs``, whose schedule then ends there.
"""
