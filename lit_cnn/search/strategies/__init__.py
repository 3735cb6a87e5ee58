"""Search strategies, written from their papers behind one interface."""
