//! Tests of `data`, `imaging` and `augment`.

mod augment;
mod class_folders;
mod common;
mod fits;
mod folder_writer;
mod imaging;
mod info;
mod mix;
mod open_npy;
mod preview;
mod shared;
mod split;
mod torchvision;
