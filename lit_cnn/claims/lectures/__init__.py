"""The claims, one file each: margins, seeds and rules are committed before the first run."""
