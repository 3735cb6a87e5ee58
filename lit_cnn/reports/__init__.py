"""Pictures of a run, drawn without a display from plain data."""
