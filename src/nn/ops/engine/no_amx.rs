//! Processors without AMX: nothing suits, so nothing below is ever called.

use super::Step;
use super::buffer::{Buffer, Shared};
use super::epilogue::Epilogue;
use super::pixels::Pixels;
use super::weights::{Panels, Source};
use super::windows::Windows;

const NONE: &str = "no AMX on this processor";

#[derive(Default)]
pub struct Sheet;
#[derive(Default)]
pub struct Workspace;
pub struct Plan;

impl Sheet {
    pub fn pack<P: Pixels>(&mut self, _: Step, _: &P) {
        unreachable!("{NONE}")
    }
}

impl Plan {
    pub fn new(_: &Sheet, _: Windows) -> Self {
        unreachable!("{NONE}")
    }

    pub fn blocks(&self) -> usize {
        unreachable!("{NONE}")
    }

    pub fn pixels(&self) -> Vec<usize> {
        unreachable!("{NONE}")
    }
}

pub fn available() -> bool {
    false
}

pub fn suits(_: Step, _: usize) -> bool {
    false
}

pub fn suits_gradient(_: Step, _: usize, _: usize) -> bool {
    false
}

pub fn suits_few_inputs(_: Step, _: usize, _: usize) -> bool {
    false
}

pub fn depth(deep: usize) -> usize {
    9 * deep
}

pub fn parts(_: Step, _: usize) -> usize {
    1
}

pub fn pack_weights(_: Source<'_>, _: usize, _: Shared<u16>) {
    unreachable!("{NONE}")
}

pub fn convolve<E: Epilogue>(_: &Sheet, _: &Plan, _: &Panels, _: &E) {
    unreachable!("{NONE}")
}

pub fn weight_gradient(_: &Sheet, _: &Sheet, _: &mut Workspace, _: &mut [f32]) {
    unreachable!("{NONE}")
}

pub fn few_inputs_weight_gradient<G: Pixels>(_: &Sheet, _: &G, _: &mut Buffer, _: &mut [f32]) {
    unreachable!("{NONE}")
}
