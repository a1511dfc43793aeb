"""The signal chain: NumPy only, one file per stage, the executable specification of the kernels in wasm/."""
