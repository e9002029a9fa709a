//! Page-locked memory of the host, through which everything goes to the device and small things come back: only so a copy does not hold
//! up the host.

use std::sync::Arc;

use cudarc::driver::result as driver;
use cudarc::driver::{CudaEvent, CudaStream};

use super::memory::no_room;
use super::{Result, lost};

/// Bytes of a piece; what is longer goes in several.
const PIECE: usize = 8 << 20;
/// Pieces that are kept: while one is filled, the others are on their way.
const PIECES: usize = 4;

/// A piece, and when the last copy from or to it is done.
pub struct Slot {
    start: *mut u8,
    bytes: usize,
    used: usize,
    done: CudaEvent,
}

impl Slot {
    fn new(stream: &Arc<CudaStream>, bytes: usize) -> Result<Self> {
        let done = stream.context().new_event(None).map_err(lost)?;
        // SAFETY: the context is bound; the memory is written before it is read
        let start = unsafe { driver::malloc_host(bytes, 0) }.map_err(|e| no_room(e, bytes))?.cast();
        Ok(Self { start, bytes, used: 0, done })
    }

    /// The bytes that were copied to it, once they are there.
    pub fn wait(&self) -> Result<Vec<u8>> {
        self.done.synchronize().map_err(lost)?;
        // SAFETY: `used` is at most the length of the memory, and the copy that fills it is done
        Ok(unsafe { std::slice::from_raw_parts(self.start, self.used) }.to_vec())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // a copy may still be on its way
        let _ = self.done.synchronize();
        // SAFETY: allocated in `new`, freed once, used by nothing any more
        let _ = unsafe { driver::free_host(self.start.cast()) };
    }
}

/// The pieces.
#[derive(Default)]
pub struct Staging {
    up: Vec<Slot>,
    next: usize,
    down: Vec<Slot>,
}

impl Staging {
    /// Copies `bytes` to the device in their turn; they may be changed at once.
    pub fn upload(&mut self, stream: &Arc<CudaStream>, address: u64, bytes: &[u8]) -> Result<()> {
        for (number, piece) in bytes.chunks(PIECE).enumerate() {
            let slot = self.free_slot(stream)?;
            // SAFETY: the slot has PIECE bytes, which no copy uses any more
            let memory = unsafe { std::slice::from_raw_parts_mut(slot.start, piece.len()) };
            memory.copy_from_slice(piece);
            let to = address + (number * PIECE) as u64;
            // SAFETY: the caller's memory of the device is as long as `bytes`; the slot stays as it is until the event, which is
            // waited for before it is filled anew or freed
            unsafe { driver::memcpy_htod_async(to, memory, stream.cu_stream()) }.map_err(lost)?;
            slot.done.record(stream).map_err(lost)?;
        }
        Ok(())
    }

    /// The slot that has waited longest, empty.
    fn free_slot(&mut self, stream: &Arc<CudaStream>) -> Result<&mut Slot> {
        if self.up.len() < PIECES {
            self.up.push(Slot::new(stream, PIECE)?);
            self.next = self.up.len() - 1;
        }
        let at = self.next % self.up.len();
        self.next = at + 1;
        let slot = &mut self.up[at];
        slot.done.synchronize().map_err(lost)?;
        Ok(slot)
    }

    /// Starts a copy from the device in its turn.
    pub fn download(&mut self, stream: &Arc<CudaStream>, address: u64, bytes: usize) -> Result<Slot> {
        let fits = self.down.iter().position(|slot| slot.bytes >= bytes);
        let mut slot = match fits {
            Some(at) => self.down.swap_remove(at),
            None => Slot::new(stream, bytes.next_power_of_two().max(4096))?,
        };
        slot.used = bytes;
        // SAFETY: the slot is as long and has no other copy; it stays until the event, which is waited for before it is read or freed
        let memory = unsafe { std::slice::from_raw_parts_mut(slot.start, bytes) };
        if bytes > 0 {
            // SAFETY: the caller's memory of the device is as long
            unsafe { driver::memcpy_dtoh_async(memory, address, stream.cu_stream()) }.map_err(lost)?;
        }
        slot.done.record(stream).map_err(lost)?;
        Ok(slot)
    }

    /// Takes a slot back that was read.
    pub fn give_back(&mut self, slot: Slot) {
        self.down.push(slot);
    }
}
