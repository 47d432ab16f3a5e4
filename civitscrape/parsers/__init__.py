"""One entry of an answer in, items out: pure functions, no Scrapy."""
