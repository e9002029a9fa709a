//! Each kernel, run on the processor, against our operators.
