"""Sound files: read and written whatever their format, one or many, with a picture of one."""
