"""Where things lie: tables, files and sidecars; knows nothing of Scrapy."""
