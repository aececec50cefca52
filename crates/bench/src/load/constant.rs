//! Requests at a constant rate, whether or not the earlier ones have been answered.
//!
//! What is recorded is the time from when a request *should* have been sent. A proxy that stalls is thus charged for all
//! requests that would have come meanwhile (no coordinated omission).

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use mio::{Events, Poll};

use super::{connection::Connection, request::Template};

/// Many enough that a request hardly ever waits for one.
pub(crate) const CONNECTIONS: usize = 64;
/// What is recorded at most, in nanoseconds.
const LONGEST: u64 = 60_000_000_000;
/// How long the last answers may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Of the generator's lag at p99 to the latency's p99, at most. On a core of its own it is about a tenth of 150 µs: timers and
/// interrupts take their time there, too.
const TOLERATED_LAG: f64 = 0.25;

/// A load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Constant {
    /// Requests per second.
    pub(crate) rate: f64,
    /// Not recorded.
    pub(crate) warm_up: Duration,
    pub(crate) duration: Duration,
}

/// What a load came to, in nanoseconds.
#[derive(Debug)]
pub(crate) struct Recorded {
    latency: Histogram<u64>,
    /// How late requests were sent although a connection was free: the generator's own fault.
    lag: Histogram<u64>,
    /// Whether every request was answered in the end.
    is_complete: bool,
}

impl Constant {
    /// Asks from the calling thread, which never sleeps meanwhile.
    ///
    /// # Errors
    ///
    /// A connection ends, or an answer is not 200.
    pub(crate) fn run(self, address: SocketAddr, template: &mut Template) -> Result<Recorded> {
        Run::open(self, address)?.finish(template)
    }
}

impl Recorded {
    /// How late requests were sent, in microseconds at p99.
    pub(crate) fn lag(&self) -> f64 {
        self.lag.value_at_quantile(0.99) as f64 / 1000.0
    }

    /// The latency in microseconds below which `quantile` of the requests were answered.
    ///
    /// None if the generator did not keep up: then it has measured itself. None, too, if ten seconds were not enough for the
    /// last answers: then something else had the machine.
    pub(crate) fn latency(&self, quantile: f64) -> Option<f64> {
        let longest = TOLERATED_LAG * self.latency.value_at_quantile(0.99) as f64 / 1000.0;
        let kept_up = self.is_complete && !self.latency.is_empty() && self.lag() <= longest;
        kept_up.then(|| self.latency.value_at_quantile(quantile) as f64 / 1000.0)
    }
}

struct Run {
    load: Constant,
    poll: Poll,
    connections: Vec<Connection>,
    free: Vec<usize>,
    /// When the request under way on each connection should have been sent.
    intended: Vec<Instant>,
    start: Instant,
    recorded: Recorded,
}

impl Run {
    fn open(load: Constant, address: SocketAddr) -> Result<Self> {
        let poll = Poll::new()?;
        let connect = |token| Connection::open(address, poll.registry(), token);
        let connections = (0..CONNECTIONS).map(connect).collect::<Result<Vec<_>>>()?;
        let histogram = || Histogram::new_with_bounds(1, LONGEST, 3);
        let recorded = Recorded { latency: histogram()?, lag: histogram()?, is_complete: true };
        let start = Instant::now();
        let (free, intended) = ((0..CONNECTIONS).collect(), vec![start; CONNECTIONS]);
        Ok(Self { load, poll, connections, free, intended, start, recorded })
    }

    fn finish(mut self, template: &mut Template) -> Result<Recorded> {
        let Constant { rate, warm_up, duration } = self.load;
        let end = self.start + warm_up + duration;
        let mut events = Events::with_capacity(CONNECTIONS);
        let mut sent = 0_u32;
        let mut waited = false;
        loop {
            let due = self.start + Duration::from_secs_f64(f64::from(sent) / rate);
            let now = Instant::now();
            if due >= end && self.free.len() == CONNECTIONS {
                return Ok(self.recorded);
            }
            if now > end + PATIENCE {
                self.recorded.is_complete = false;
                return Ok(self.recorded);
            }
            if due < end && due <= now {
                if let Some(index) = self.free.pop() {
                    if !waited {
                        self.recorded.lag.saturating_record(nanoseconds(now - due));
                    }
                    self.send(index, due, template)?;
                    (sent, waited) = (sent + 1, false);
                } else {
                    waited = true;
                }
            }
            self.receive(&mut events)?;
        }
    }

    fn send(&mut self, index: usize, due: Instant, template: &mut Template) -> Result<()> {
        let connection = self.connections.get_mut(index).context("no such connection")?;
        connection.send(template.next())?;
        if let Some(intended) = self.intended.get_mut(index) {
            *intended = due;
        }
        Ok(())
    }

    fn receive(&mut self, events: &mut Events) -> Result<()> {
        self.poll.poll(events, Some(Duration::ZERO))?;
        let recorded_from = self.start + self.load.warm_up;
        for event in &*events {
            let index = event.token().0;
            let (Some(connection), Some(intended)) = (self.connections.get_mut(index), self.intended.get(index)) else {
                continue;
            };
            if connection.receive()? {
                if *intended >= recorded_from {
                    self.recorded.latency.saturating_record(nanoseconds(intended.elapsed()));
                }
                self.free.push(index);
            }
        }
        Ok(())
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(latencies: impl IntoIterator<Item = u64>, lags: &[u64]) -> Recorded {
        let (latency, lag) = (Histogram::new(3).unwrap(), Histogram::new(3).unwrap());
        let mut recorded = Recorded { latency, lag, is_complete: true };
        latencies.into_iter().for_each(|latency| recorded.latency.record(latency).unwrap());
        lags.iter().for_each(|lag| recorded.lag.record(*lag).unwrap());
        recorded
    }

    #[test]
    fn quantiles_are_in_microseconds() {
        let recorded = recorded((1..=1000).map(|number| number * 1000), &[10]);
        let within = |quantile: f64, expected: f64| {
            let latency = recorded.latency(quantile).unwrap();
            assert!((latency / expected - 1.0).abs() < 0.002, "{latency}");
        };
        within(0.5, 500.0);
        within(0.99, 990.0);
    }

    #[test]
    fn a_generator_that_lags_behind_measures_nothing() {
        assert!(recorded([100_000; 100], &[24_000; 100]).latency(0.5).is_some());
        assert!(recorded([100_000; 100], &[26_000; 100]).latency(0.5).is_none());
        assert!(recorded([], &[]).latency(0.5).is_none());
    }

    #[test]
    fn a_load_that_is_never_answered_whole_measures_nothing() {
        let recorded = Recorded { is_complete: false, ..recorded([100_000; 100], &[1]) };
        assert!(recorded.latency(0.5).is_none());
    }

    #[test]
    fn a_stall_is_charged_to_every_request_that_would_have_come() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // Accepts, and answers nobody before a second is over.
        std::thread::spawn(move || {
            let stall = Instant::now() + Duration::from_secs(1);
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    std::thread::sleep(stall.saturating_duration_since(Instant::now()));
                    crate::load::upstream::serve(&stream)
                });
            }
        });
        let load = Constant { rate: 100.0, warm_up: Duration::ZERO, duration: Duration::from_millis(500) };
        let headers = Vec::new();
        let mut template = super::super::request::Request { path: "/", headers, numbers: 1 }.template();
        let recorded = load.run(address, &mut template).unwrap();
        assert_eq!(recorded.latency.len(), 50, "every request that was due was sent");
        let half = recorded.latency.value_at_quantile(0.5);
        assert!(half > 500_000_000, "a client that waits would have seen one slow request: {half} ns");
    }
}
