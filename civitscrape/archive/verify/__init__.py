"""Whether what the database calls stored is there and whole, and how what is not can be set right."""
