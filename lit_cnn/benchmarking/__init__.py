"""Speed against others: networks, recipes, loaders and fit, interleaved."""
