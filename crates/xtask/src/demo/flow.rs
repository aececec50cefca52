//! Requests that flow while things change.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use local_mesh::Client;

const CLIENTS: usize = 4;

/// Other clients, who go through users without a break.
pub(super) struct Flow {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    sent: AtomicUsize,
    failed: AtomicUsize,
}

impl Flow {
    pub(super) fn start(client: Client, users: Vec<&'static str>) -> Self {
        let shared = Arc::new(Shared::default());
        let start = |_| {
            let (shared, client, users) = (shared.clone(), client.clone(), users.clone());
            thread::spawn(move || shared.send(&client, &users))
        };
        Self { clients: (0..CLIENTS).map(start).collect(), shared }
    }

    /// How many requests have been answered so far.
    pub(super) fn sent(&self) -> usize {
        self.shared.sent.load(Ordering::Relaxed)
    }

    /// How many requests were sent, and how many of them failed.
    pub(super) fn stop(mut self) -> (usize, usize) {
        self.end();
        (self.sent(), self.shared.failed.load(Ordering::Relaxed))
    }

    fn end(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for client in self.clients.drain(..) {
            // One that panicked has said so itself.
            let _ = client.join();
        }
    }
}

impl Shared {
    fn send(&self, client: &Client, users: &[&str]) {
        for user in users.iter().cycle().take_while(|_| !self.stop.load(Ordering::Relaxed)) {
            if client.send("GET", &[("x-user-id", user)]).and_then(|answer| answer.chain()).is_err() {
                self.failed.fetch_add(1, Ordering::Relaxed);
            }
            self.sent.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.end();
    }
}
