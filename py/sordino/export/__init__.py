"""From a trained model to what runs: ONNX file, 8-bit weight file, generated C."""
