"""Tables and items in other people's formats."""
