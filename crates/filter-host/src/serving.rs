//! Which configuration served where, so that after a bad update exactly that one goes on serving.
//!
//! The host tells a plug-in's name, but not its listener, and two listeners may have plug-ins of one name. It goes back
//! to an earlier configuration without a word while the earlier one drains. Only a request tells the two apart: by the
//! port that it came to, and by its connection, because a listener that drains accepts none.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use crate::{configuration::Configuration, process};

thread_local! {
    /// The good configurations of this VM that some context still holds, with the names of their plug-ins.
    static HELD: RefCell<Vec<(Vec<u8>, Weak<Configuration>)>> = const { RefCell::new(Vec::new()) };
    /// Changes with every configuration that arrives.
    static GENERATION: Cell<u64> = const { Cell::new(0) };
}

/// All plug-ins of this VM so far, good or bad.
pub(crate) fn generation() -> u64 {
    GENERATION.get()
}

/// A configuration of a plug-in has arrived, and was refused unless it is given.
pub(crate) fn arrived(plugin: &[u8], accepted: Option<&Rc<Configuration>>) {
    GENERATION.set(GENERATION.get().wrapping_add(1));
    HELD.with_borrow_mut(|held| {
        held.retain(|(_, configuration)| configuration.strong_count() > 0);
        held.extend(accepted.map(|configuration| (plugin.to_vec(), Rc::downgrade(configuration))));
    });
}

/// The configurations of a plug-in that may have served before one that is refused.
pub(crate) fn held(plugin: &[u8]) -> Vec<Rc<Configuration>> {
    HELD.with_borrow(|held| {
        let of_plugin = held.iter().filter(|(name, _)| name == plugin);
        of_plugin.filter_map(|(_, configuration)| configuration.upgrade()).collect()
    })
}

/// The port that the current stream came to, and its connection.
pub(crate) struct Place {
    /// Of the listener, with its direction.
    port: u64,
    connection: u64,
}

/// What served last at each port, for one plug-in in all workers of the process: a value of shared data.
pub(crate) struct Record {
    key: String,
    entries: Vec<Entry>,
    version: u32,
}

#[derive(Clone, Copy)]
struct Entry {
    port: u64,
    connection: u64,
    digest: u64,
}

/// Of as many ports the record knows; the one with the oldest connection gives way.
const MAX_PORTS: usize = 256;

// === impl Place ===

impl Place {
    pub(crate) fn of_stream() -> Self {
        let [direction, port, connection] =
            [["xds", "listener_direction"], ["destination", "port"], ["connection", "id"]]
                .map(|path| process::number(&path).unwrap_or_default());
        Self { port: direction << 32 | port, connection }
    }
}

// === impl Record ===

impl Record {
    pub(crate) fn of(filter: &str, plugin: &[u8]) -> Self {
        let key = format!("{filter}/{}/served", String::from_utf8_lossy(plugin));
        let (value, version) = process::get_shared_data(&key).unwrap_or_default();
        Self { key, entries: value.chunks_exact(3 * size_of::<u64>()).filter_map(Entry::read).collect(), version }
    }

    /// This configuration serves there, unless another has served a connection that is newer.
    pub(crate) fn write(mut self, place: &Place, configuration: &Configuration) {
        let is_known = |entry: &Entry| entry.connection == place.connection && entry.digest == configuration.digest;
        let is_said = |entry: &Entry| entry.connection > place.connection || is_known(entry);
        if self.entries.iter().any(|entry| entry.port == place.port && is_said(entry)) {
            return;
        }
        self.entries.retain(|entry| entry.port != place.port);
        if self.entries.len() >= MAX_PORTS
            && let Some(oldest) = self.entries.iter().map(|entry| entry.connection).min()
        {
            self.entries.retain(|entry| entry.connection != oldest);
        }
        let Place { port, connection } = *place;
        self.entries.push(Entry { port, connection, digest: configuration.digest });
        // Whoever was faster is as right, and there is another time.
        process::set_shared_data(
            &self.key,
            &self.entries.iter().flat_map(|entry| entry.bytes()).collect::<Vec<u8>>(),
            self.version,
        );
    }

    /// The one among these that served there. Where nothing has served yet, or what served is gone and nothing has served since,
    /// the newest that has served nowhere else.
    pub(crate) fn find<'a>(&self, place: &Place, among: &'a [Rc<Configuration>]) -> Option<&'a Configuration> {
        let served = |configuration: &Configuration, port: Option<u64>| {
            let mut entries = self.entries.iter().filter(|entry| port.is_none_or(|port| entry.port == port));
            entries.any(|entry| entry.digest == configuration.digest)
        };
        let there = among.iter().rfind(|configuration| served(configuration, Some(place.port)));
        there.or_else(|| among.iter().rfind(|configuration| !served(configuration, None))).map(Rc::as_ref)
    }
}

// === impl Entry ===

impl Entry {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut numbers = bytes.chunks_exact(size_of::<u64>()).filter_map(|number| number.try_into().ok());
        let mut number = || numbers.next().map(u64::from_le_bytes);
        Some(Self { port: number()?, connection: number()?, digest: number()? })
    }

    fn bytes(self) -> impl Iterator<Item = u8> {
        [self.port, self.connection, self.digest].into_iter().flat_map(u64::to_le_bytes)
    }
}
