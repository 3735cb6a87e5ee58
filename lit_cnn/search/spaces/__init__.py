"""Search spaces: lists of decisions, and the network that a point of each is."""
