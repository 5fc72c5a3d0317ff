//! Progress of a long check, and a way to stop it.

use crate::error::{PtauError, Reason, Result, Section};

/// Told (section, bytes checked, bytes in all); returns whether to go on.
pub type Observer<'a> = dyn FnMut(Section, u64, u64) -> bool + 'a;

/// Counts bytes and tells the observer.
pub struct Watch<'a> {
    observer: &'a mut Observer<'a>,
    done: u64,
    total: u64,
}

impl std::fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Watch({} of {} bytes)", self.done, self.total)
    }
}

impl<'a> Watch<'a> {
    /// Begins to count.
    pub fn new(observer: &'a mut Observer<'a>, total: u64) -> Self {
        Self {
            observer,
            done: 0,
            total,
        }
    }

    /// Counts bytes of a section.
    ///
    /// # Errors
    /// The observer asked to stop.
    pub fn advance(&mut self, section: Section, bytes: u64) -> Result<()> {
        self.done += bytes;
        if (self.observer)(section, self.done, self.total) {
            return Ok(());
        }
        Err(PtauError::new(section, Reason::Stopped))
    }
}
