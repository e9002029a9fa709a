//! How the system's allocator treats the large buffers of a training step.
//!
//! A step frees and asks for the same hundreds of megabytes again and again. glibc gives large blocks back to the system at
//! once and has every page of them cleared anew at the next request; and the arenas that it makes for threads take no block
//! above 64 MB at all. One arena that keeps its memory spares five of six page faults (compact network, 256 x 256, batches of 16).

#![allow(unsafe_code, reason = "the C library's tuning function has no safe wrapper")]

/// Keeps freed memory in the process, in one arena for all threads (glibc only; elsewhere nothing happens). To be called
/// first in `main`, because arenas that exist already stay.
pub fn keep_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// Blocks below this are not mapped one by one, and less than this at the end of the heap is not given back.
        const BYTES: libc::c_int = 1 << 30;
        // SAFETY: `mallopt` takes two integers, locks the allocator itself, and only changes how memory is asked for and given
        // back, never what is in use. A value that a version of glibc refuses changes nothing, which is fine too.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, BYTES);
            libc::mallopt(libc::M_TRIM_THRESHOLD, BYTES);
            libc::mallopt(libc::M_ARENA_MAX, 1);
        }
    }
}
