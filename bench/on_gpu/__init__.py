"""An engine on a real card, measured, beside what is foretold of it; run by `python -m bench.engine_on_gpu`."""
