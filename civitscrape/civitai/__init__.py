"""How the site speaks: makes requests and opens answers, keeps nothing."""
