"""Pictures as bytes: what is embedded in them, their hash, and their conversion to WebP; no files, no database."""
