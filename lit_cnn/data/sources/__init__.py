"""Where images come from: named sets, arrays, folders and shards."""
