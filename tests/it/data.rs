//! Tests of `data`, `imaging` and `augment`.

mod augment;
mod class_folders;
mod common;
mod export;
pub mod fits;
mod folder_writer;
mod imaging;
mod info;
mod integrity;
mod marks;
mod mix;
mod open_npy;
mod preview;
mod query;
mod shared;
mod split;
mod torchvision;
