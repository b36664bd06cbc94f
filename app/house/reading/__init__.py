"""Rows that teach answering from passages: invented paragraphs, questions they answer, and questions they do not."""
