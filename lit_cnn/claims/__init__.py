"""Claims of the papers as experiments: designs and rules written down before the runs, and verdicts by them."""
