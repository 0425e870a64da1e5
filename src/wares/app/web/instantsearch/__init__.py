"""The search API that InstantSearch front ends speak: their requests become questions, pages become their answers."""
