use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::{Context, Result};

/// Whether somebody has asked to stop, which is done between two steps.
pub(super) struct Interruption(Arc<AtomicBool>);

impl Interruption {
    pub(super) fn watch() -> Result<Self> {
        let interruption = Self(Arc::new(AtomicBool::new(false)));
        let has_come = Arc::clone(&interruption.0);
        ctrlc::set_handler(move || has_come.store(true, Ordering::Relaxed)).context("failed to listen for Ctrl-C")?;
        Ok(interruption)
    }

    pub(super) fn has_come(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
