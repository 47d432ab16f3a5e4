"""What happens between a request and its answer, and between an answer and the archive."""
