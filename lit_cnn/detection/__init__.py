"""Detectors on the catalog's networks: annotated images, augmentation that moves boxes, pyramids and heads, metrics and
pictures. They are trained as a Classifier is: one Trainer, one run folder, one format of checkpoints.
"""
