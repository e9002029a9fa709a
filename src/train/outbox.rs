//! How events leave the worker: it never waits for its listener, and no event is lost.
//!
//! The channel is bounded. While it is full, events wait here, and consecutive steps of an epoch merge into one; only once
//! all work is done does the worker wait for the rest to be taken (or for the listener to go).

use std::collections::VecDeque;
use std::task::Waker;

use crossbeam_channel::{Sender, TrySendError};

use super::Event;

/// Events that fit into the channel. Steps merge beyond it, so it bounds how far a listener can lag behind in detail.
pub(super) const CAPACITY: usize = 64;

pub(super) struct Outbox {
    sender: Sender<Event>,
    waker: Option<Waker>,
    waiting: VecDeque<Event>,
}

impl Outbox {
    pub fn new(sender: Sender<Event>, waker: Option<Waker>) -> Self {
        Self { sender, waker, waiting: VecDeque::new() }
    }

    /// Hands an event over, or keeps it until there is room. Never blocks.
    pub fn push(&mut self, event: Event) {
        match (self.waiting.back_mut(), event) {
            (Some(Event::Steps(last)), Event::Steps(new)) if last.epoch == new.epoch => last.merge(&new),
            (_, event) => self.waiting.push_back(event),
        }
        while let Some(event) = self.waiting.pop_front() {
            match self.sender.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.waiting.push_front(event);
                    break;
                }
                // nobody will ever listen again
                Err(TrySendError::Disconnected(_)) => self.waiting.clear(),
            }
        }
        self.wake();
    }

    /// Hands over all that waits, blocking until it is taken or the listener is gone. The last act of a worker.
    pub fn finish(mut self) {
        while let Some(event) = self.waiting.pop_front() {
            if self.sender.send(event).is_err() {
                return;
            }
            self.wake();
        }
    }

    fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }
}
