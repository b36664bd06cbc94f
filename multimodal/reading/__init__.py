"""Reading the text in pictures, and putting it in order."""
