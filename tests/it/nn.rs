//! Tests of `nn`.

mod build;
