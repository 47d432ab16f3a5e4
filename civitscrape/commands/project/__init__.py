"""Commands of `scrapy` that this project does its own way."""
