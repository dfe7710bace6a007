"""Files out: tables streamed from the database at constant memory, and the codebook that describes them."""
