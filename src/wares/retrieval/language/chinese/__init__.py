"""Chinese: one script, words by the shop's own dictionary, numbers, negations, sounds and look-alikes."""
