"""What watches a crawl: progress, the log file, the report."""
