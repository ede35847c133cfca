"""What is asked of bridge for each case: things that always hold, and agreement with other readers."""
