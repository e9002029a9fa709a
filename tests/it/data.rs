//! Tests of `data`, `imaging` and `augment`.

mod common;
mod open_npy;
