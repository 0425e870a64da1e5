"""Facts -> numbers: what a ranker sees of a candidate."""
