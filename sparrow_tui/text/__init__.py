"""Pure functions over strings and offsets: wrapping, heights, styling."""
