"""What programs read and control: the JSON API under `/api`, an application of its own with its own errors."""
