"""What build.py does, a file for each kind of work. Nothing but Python itself is imported: this is what makes .venv."""
