"""What is done to training images, per image and to whole batches."""
