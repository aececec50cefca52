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

/// What served last for a plug-in at the listener of the current stream, in all workers of the process.
///
/// One entry of shared data for each plug-in and port, of two numbers.
pub(crate) struct LastServed {
    key: String,
    connection: u64,
}

impl LastServed {
    /// For the current stream.
    pub(crate) fn of_stream(filter: &str, plugin: &[u8]) -> Self {
        let [direction, port, connection] =
            [["xds", "listener_direction"], ["destination", "port"], ["connection", "id"]]
                .map(|path| process::number(&path).unwrap_or_default());
        Self { key: format!("{filter}/{}/{direction}/{port}", String::from_utf8_lossy(plugin)), connection }
    }

    /// This configuration serves, unless another has served a connection that is newer.
    pub(crate) fn record(&self, configuration: &Configuration) {
        let (recorded, version) = process::get_shared_data(&self.key).unwrap_or_default();
        if read(&recorded).is_none_or(|(connection, _)| connection <= self.connection) {
            let entry = [self.connection.to_le_bytes(), configuration.digest.to_le_bytes()].concat();
            // Who is faster is as right.
            process::set_shared_data(&self.key, &entry, version);
        }
    }

    /// The one among these that served.
    pub(crate) fn find<'a>(&self, among: &'a [Rc<Configuration>]) -> Option<&'a Configuration> {
        let (recorded, _) = process::get_shared_data(&self.key)?;
        let (_, digest) = read(&recorded)?;
        among.iter().find(|configuration| configuration.digest == digest).map(Rc::as_ref)
    }
}

/// The connection and the digest of an entry.
fn read(entry: &[u8]) -> Option<(u64, u64)> {
    let (connection, digest) = entry.split_at_checked(size_of::<u64>())?;
    Some((u64::from_le_bytes(connection.try_into().ok()?), u64::from_le_bytes(digest.try_into().ok()?)))
}
