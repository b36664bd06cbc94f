"""Speech and pictures: what is admitted, what is heard and read in it, and what is spoken."""
