//! A device that computes nothing and only counts what is allocated: so it is known how much memory a network needs before a real one is
//! asked for it, and after it had not that much.

use std::cell::Cell;

use super::kernels::{Launch, Storage};
use super::{Accelerator, AcceleratorError, Argument, Arithmetic, Convolution, Fetched, Mark, Memory, Pass, Product, View};

type Result<T> = std::result::Result<T, AcceleratorError>;

/// Where each piece of memory begins, as CUDA does it.
const ALIGNMENT: usize = 256;

/// Counts memory.
#[derive(Debug, Default)]
pub struct Ledger {
    bytes: Cell<usize>,
}

impl Ledger {
    /// What was allocated so far, bytes; memory that was given back counts too.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.get()
    }
}

impl Accelerator for Ledger {
    fn name(&self) -> String {
        "ledger".into()
    }

    fn supports(&self, _: Arithmetic) -> bool {
        true
    }

    fn memory(&self) -> Result<(usize, usize)> {
        Ok((usize::MAX, usize::MAX))
    }

    fn allocate(&self, bytes: usize) -> Result<Memory> {
        // nothing is ever read there
        let address = ALIGNMENT + self.bytes.get();
        self.bytes.set(self.bytes.get() + bytes.next_multiple_of(ALIGNMENT));
        Ok(Memory::new(address as u64, bytes, Box::new(())))
    }

    fn upload(&self, _: View, _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn mark(&self) -> Result<Mark> {
        Ok(Mark(Box::new(())))
    }

    fn upload_early(&self, _: View, _: &[u8], _: Option<&Mark>) -> Result<()> {
        Ok(())
    }

    fn download(&self, from: View) -> Result<Vec<u8>> {
        Ok(vec![0; from.bytes()])
    }

    fn fetch<'a>(&'a self, from: View) -> Result<Fetched<'a>> {
        let bytes = from.bytes();
        Ok(Box::new(move || Ok(vec![0; bytes])))
    }

    fn clear(&self, _: View) -> Result<()> {
        Ok(())
    }

    fn copy(&self, _: View, _: View) -> Result<()> {
        Ok(())
    }

    unsafe fn launch(&self, _: &'static str, _: Storage, _: Launch, _: &[Argument]) -> Result<()> {
        Ok(())
    }

    fn convolve(&self, _: Pass, _: Convolution, _: Arithmetic, _: View, _: View, _: View) -> Result<()> {
        Ok(())
    }

    fn multiply(&self, _: Product, _: Arithmetic, _: View, _: View, _: View) -> Result<()> {
        Ok(())
    }

    fn synchronise(&self) -> Result<()> {
        Ok(())
    }
}
