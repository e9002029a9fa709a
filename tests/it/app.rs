//! Tests of the window: the real app, shown by egui's test harness and driven by the accessible names of its controls.
//! No display is needed and nothing is compared by pixels.
#![cfg(feature = "gui")]

mod augment;
mod classify;
mod confusion;
mod damage;
mod ease;
mod empty;
mod experiments;
mod explain;
mod explore;
mod explore_filter;
mod explore_marks;
mod go_on;
mod import;
mod keyboard;
mod map_batch;
mod models;
mod names;
mod parts;
mod pile;
mod run;
mod search;
mod stand;
mod train_form;
mod trust;
mod viewer;
mod written;
