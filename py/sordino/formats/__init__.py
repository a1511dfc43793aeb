"""Files of a model: ONNX, 8-bit weight file, generated C, and the models that ship."""
