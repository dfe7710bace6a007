"""The numbers of the results page: how long reading a study and computing its findings takes."""
