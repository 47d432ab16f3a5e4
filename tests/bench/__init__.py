"""``python -m tests.bench``: this project beside aria2c, gallery-dl and Scrapy's own files pipeline, on the sandbox."""
