"""Scaling a network by depth, width and resolution: rules, what they cost, and the search for their coefficients."""
