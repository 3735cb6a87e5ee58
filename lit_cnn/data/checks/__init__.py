"""What ``data/checking.py`` asks of images."""
