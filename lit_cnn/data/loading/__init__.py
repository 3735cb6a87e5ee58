"""From a source to batches: data sets, the order of the images, and where a resumed run goes on."""
