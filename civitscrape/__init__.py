"""civitscrape archives Civitai into a folder and a database that you own."""
