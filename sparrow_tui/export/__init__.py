"""Sessions written out in other formats."""
