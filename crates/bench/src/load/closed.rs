//! Each connection sends its next request as soon as the last one is answered.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use mio::{Events, Poll};

use super::{connection::Connection, request::Template};

/// Somebody to be asked.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) template: Template,
    pub(crate) connections: usize,
}

/// A thread that asks all of its targets, on the core of the thread that started it.
#[derive(Debug)]
pub(crate) struct ClosedLoop {
    answered: Vec<Arc<AtomicU64>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl ClosedLoop {
    pub(crate) fn start(targets: Vec<Target>) -> Self {
        let answered: Vec<Arc<AtomicU64>> = targets.iter().map(|_| Arc::default()).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let (counters, stopped) = (answered.clone(), stop.clone());
        let thread = thread::spawn(move || run(targets, &counters, &stopped));
        Self { answered, stop, thread: Some(thread) }
    }

    /// How many requests each target has answered so far.
    pub(crate) fn answered(&self) -> impl Iterator<Item = u64> + '_ {
        self.answered.iter().map(|answered| answered.load(Ordering::Relaxed))
    }

    /// Waits while requests flow.
    ///
    /// # Errors
    ///
    /// They do not any more: [`Self::stop`] says why.
    pub(crate) fn run_for(&self, duration: Duration) -> Result<()> {
        let end = Instant::now() + duration;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            ensure!(self.is_running(), "the load ended before its time");
            thread::sleep(left.min(Duration::from_millis(100)));
        }
        Ok(())
    }

    /// Whether requests still flow: an error ends them.
    pub(crate) fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// A connection ended, or something was answered that is not 200; with the target's name.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().context("it was stopped before")?;
        thread.join().map_err(|_| anyhow!("the generator panicked"))?
    }
}

impl Drop for ClosedLoop {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn run(mut targets: Vec<Target>, answered: &[Arc<AtomicU64>], stop: &AtomicBool) -> Result<()> {
    let mut poll = Poll::new()?;
    let mut connections = Vec::new();
    for (index, target) in targets.iter_mut().enumerate() {
        for _ in 0..target.connections {
            let mut connection = Connection::open(target.address, poll.registry(), connections.len())?;
            connection.send(target.template.next())?;
            connections.push((index, connection));
        }
    }
    let mut events = Events::with_capacity(256);
    while !stop.load(Ordering::Relaxed) {
        poll.poll(&mut events, Some(Duration::from_millis(50)))?;
        for event in &events {
            let Some((index, connection)) = connections.get_mut(event.token().0) else { continue };
            let (Some(target), Some(answered)) = (targets.get_mut(*index), answered.get(*index)) else { continue };
            let is_answered = connection.receive().with_context(|| target.name.clone())?;
            if is_answered {
                answered.fetch_add(1, Ordering::Relaxed);
                connection.send(target.template.next()).with_context(|| target.name.clone())?;
            }
        }
    }
    Ok(())
}
