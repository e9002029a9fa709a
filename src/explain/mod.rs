//! A saved model and a picture -> probabilities (and, later, why).
