//! Tests of `data`, `imaging` and `augment`.

mod augment;
mod class_folders;
mod common;
mod folder_writer;
mod imaging;
mod info;
mod open_npy;
mod shared;
mod split;
mod torchvision;
