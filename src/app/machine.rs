//! This computer, as far as the badge in the top bar shows it.

use std::time::{Duration, Instant};

/// How long a reading of the memory stays good.
const FRESH: Duration = Duration::from_secs(2);

/// This computer.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// Memory that this program holds, bytes; `None` where the system does not tell.
    pub resident: Option<u64>,
    /// Memory of the computer, bytes.
    pub total: Option<u64>,
    /// Threads that the processor runs at once.
    pub threads: usize,
    read_at: Option<Instant>,
}

impl Machine {
    /// Reads the numbers again if the last reading is old.
    pub fn refresh(&mut self, now: Instant) {
        if self.read_at.is_some_and(|at| now.duration_since(at) < FRESH) {
            return;
        }
        self.read_at = Some(now);
        self.threads = std::thread::available_parallelism().map_or(1, usize::from);
        self.resident = kilobytes("/proc/self/status", "VmRSS:");
        self.total = kilobytes("/proc/meminfo", "MemTotal:");
    }
}

/// The bytes of a line such as `VmRSS:   123456 kB` of one of Linux's files; `None` elsewhere.
fn kilobytes(file: &str, key: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kb| kb * 1024)
}
