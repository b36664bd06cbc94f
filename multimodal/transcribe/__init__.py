"""Speech to text: who speaks when, what is said, and how it is written out."""
