"""What if the disk breaks? A shop as one folder of checked files, and the way back."""
