"""Every endpoint that is walked: how its pages are asked for, opened, checked and read."""
