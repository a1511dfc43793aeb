"""What runs models on sound: engines, streams of any rate, recordings, files."""
