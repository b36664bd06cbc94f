"""Messages with pictures and voice notes, made on the spot: screens that are drawn, and phrases that are spoken."""
