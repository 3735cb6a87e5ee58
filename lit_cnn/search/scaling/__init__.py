"""Scaling a network by depth, width and resolution: the rules, what they cost, and the search for their coefficients."""
