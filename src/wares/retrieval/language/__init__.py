"""How texts become words: languages, numbers and units, other forms of a word."""
