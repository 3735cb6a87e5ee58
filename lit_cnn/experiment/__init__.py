"""From a recipe to a run: what a recipe says, how it is read and what a resumed run must keep."""
