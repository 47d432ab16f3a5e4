"""What becomes of an item: one verb a file, in the order of ITEM_PIPELINES."""
