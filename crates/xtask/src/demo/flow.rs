use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use anyhow::{Result, anyhow};

use super::stage::Visitor;
use crate::process;

const CLIENTS: usize = 4;

/// Requests that flow while things change: of four clients, who go through identities without a break.
pub(super) struct Flow {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<Outcomes>>,
}

/// What requests reached, and how many did.
pub(super) type Outcomes = BTreeMap<String, usize>;

struct Shared {
    sent: AtomicUsize,
    limit: AtomicUsize,
}

impl Flow {
    /// Ends by itself after `limit` requests.
    pub(super) fn start(visitor: &Visitor, identities: &[&'static str], limit: usize) -> Self {
        let shared = Arc::new(Shared { sent: AtomicUsize::new(0), limit: AtomicUsize::new(limit) });
        let start = |_| {
            let (shared, visitor, identities) = (shared.clone(), visitor.clone(), identities.to_vec());
            thread::spawn(move || shared.send(&visitor, &identities))
        };
        Self { clients: (0..CLIENTS).map(start).collect(), shared }
    }

    /// How many requests have been sent so far.
    pub(super) fn sent(&self) -> usize {
        self.shared.sent.load(Ordering::Relaxed)
    }

    pub(super) fn stop(self) -> Result<Outcomes> {
        self.shared.limit.store(0, Ordering::Relaxed);
        self.finish()
    }

    pub(super) fn finish(self) -> Result<Outcomes> {
        let mut sum = Outcomes::new();
        for client in self.clients {
            for (outcome, count) in client.join().map_err(|_| anyhow!("a client panicked"))? {
                *sum.entry(outcome).or_default() += count;
            }
        }
        process::go_on()?;
        Ok(sum)
    }
}

impl Shared {
    fn send(&self, visitor: &Visitor, identities: &[&str]) -> Outcomes {
        let mut outcomes = Outcomes::new();
        for identity in identities.iter().cycle() {
            let number = self.sent.fetch_add(1, Ordering::Relaxed);
            if process::is_interrupted() || number >= self.limit.load(Ordering::Relaxed) {
                break;
            }
            let outcome = visitor.ask(identity).unwrap_or_else(|error| format!("{error:#}"));
            *outcomes.entry(outcome).or_default() += 1;
        }
        outcomes
    }
}
