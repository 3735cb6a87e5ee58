"""The rules by which parts of a claim are judged, each stated with its margin before the first run."""
