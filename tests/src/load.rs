//! Clients who send requests without a break, while something happens to the mesh.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Result, anyhow};
use local_mesh::{Client, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

/// Equal requests, which a client of their own sends one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    /// The method.
    pub method: &'static str,
    /// What makes it a request of its lane.
    pub header: (&'static str, &'static str),
}

/// What the requests of a stream came to: how often each chain, or each failure.
pub type Seen = BTreeMap<String, usize>;

/// The requests under way.
#[derive(Debug, Default)]
pub struct Load {
    stop: AtomicBool,
    answered: AtomicUsize,
}

/// Runs `happening` while the requests of all streams flow to the gateway at this URL, and says what each stream has seen, in their order.
///
/// # Errors
/// What `happening` says, or a request got no answer at all. A failure that was answered is among what was seen.
pub fn while_requests_flow(
    gateway: &str,
    streams: &[Stream],
    happening: impl FnOnce(&Load) -> Result<()>,
) -> Result<Vec<Seen>> {
    let load = Load::default();
    thread::scope(|scope| {
        let send = |stream: &Stream| {
            let (stream, client, load) = (*stream, Client::new(gateway), &load);
            scope.spawn(move || load.send(&client, stream))
        };
        let flows: Vec<_> = streams.iter().map(send).collect();
        let stop = StopOnDrop(&load);
        let happened = happening(&load);
        drop(stop);
        let seen = flows.into_iter().map(|flow| flow.join().map_err(|_| anyhow!("a client panicked"))?);
        let seen = seen.collect::<Result<Vec<_>>>()?;
        happened.map(|()| seen)
    })
}

/// Runs `happening` while `request` is made again and again, at least once, with a number that counts up.
pub fn while_repeated(request: impl Fn(usize) + Sync, happening: impl FnOnce()) {
    let load = Load::default();
    thread::scope(|scope| {
        let is_over = |number: usize| {
            request(number);
            load.stop.load(Ordering::Relaxed)
        };
        scope.spawn(move || (0..).any(is_over));
        let _stop = StopOnDrop(&load);
        happening();
    });
}

// === impl Load ===

impl Load {
    /// Waits until this many more requests have been answered.
    ///
    /// # Errors
    /// It takes longer than a minute.
    pub fn answers(&self, number: usize) -> Result<()> {
        let enough = self.answered.load(Ordering::Relaxed) + number;
        let is_enough = || self.answered.load(Ordering::Relaxed) >= enough;
        wait_until(&format!("{number} requests are answered"), LIMIT, || Ok(is_enough().then_some(())))
    }

    fn send(&self, client: &Client, stream: Stream) -> Result<Seen> {
        let mut seen = Seen::new();
        while !self.stop.load(Ordering::Relaxed) {
            *seen.entry(client.send(stream.method, &[stream.header])?.outcome()).or_default() += 1;
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
        Ok(seen)
    }
}

/// Ends the load also when something panics, so that the test fails instead of hanging.
struct StopOnDrop<'a>(&'a Load);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}
