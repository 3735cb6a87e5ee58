"""Silence the tips to install other products that Lightning's Trainer logs, and nothing else; imports logging alone."""

import logging

TIP = "💡 Tip:"
"""How they begin."""
LOGGER = "lightning.pytorch.utilities.rank_zero"
"""What Lightning logs them with."""


def without_tips(record: logging.LogRecord) -> bool:
    """A filter that lets everything but tips pass."""
    return not str(record.msg).startswith(TIP)


def silence_tips() -> None:
    """Filter Lightning's logger, which need not exist yet; doing it again changes nothing."""
    logging.getLogger(LOGGER).addFilter(without_tips)
