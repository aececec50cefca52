//! Which plug-in a stream belongs to.

use std::collections::VecDeque;

/// A stream can wait this long, in streams of the same worker, for its headers to come: another filter may hold them.
const MAX_WAITING: usize = 1 << 16;

/// The streams whose headers have not come yet, each with its plug-in.
///
/// The host says which plug-in a stream belongs to when the stream begins, and only then. That it ends, as it may without
/// headers where another filter answers, is not said here: what never gets headers is forgotten by number.
#[derive(Default)]
pub(crate) struct Streams {
    /// In the order of their contexts, which the host numbers upwards.
    waiting: VecDeque<Stream>,
}

struct Stream {
    context: u32,
    /// `None` after the headers have come.
    plugin: Option<u32>,
}

impl Streams {
    pub(crate) fn begin(&mut self, context: u32, plugin: u32) {
        // After four billion contexts the numbers start anew.
        if self.waiting.back().is_some_and(|last| context <= last.context) {
            self.waiting.clear();
        }
        if self.waiting.len() == MAX_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Stream { context, plugin: Some(plugin) });
    }

    /// The plug-in of a stream whose headers have come; once for each stream.
    pub(crate) fn take(&mut self, context: u32) -> Option<u32> {
        let plugin = match self.waiting.front_mut() {
            // Hardly ever does another filter hold headers, and then the next stream is the one that waits.
            Some(next) if next.context == context => next.plugin.take(),
            _ => {
                let at = self.waiting.binary_search_by_key(&context, |stream| stream.context).ok()?;
                self.waiting.get_mut(at)?.plugin.take()
            }
        };
        while self.waiting.front().is_some_and(|stream| stream.plugin.is_none()) {
            self.waiting.pop_front();
        }
        plugin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_found_once_in_any_order() {
        let mut streams = Streams::default();
        for (context, plugin) in [(3, 1), (4, 2), (7, 1)] {
            streams.begin(context, plugin);
        }
        assert_eq!(
            [7, 3, 3, 5, 4, 4].map(|context| streams.take(context)),
            [Some(1), Some(1), None, None, Some(2), None]
        );
        assert!(streams.waiting.is_empty());
    }

    #[test]
    fn streams_that_never_get_headers_do_not_add_up() {
        let mut streams = Streams::default();
        for context in 0..1_000_000 {
            streams.begin(context, 1);
        }
        assert_eq!(streams.waiting.len(), MAX_WAITING);
        assert_eq!(streams.take(0), None);
        assert_eq!(streams.take(999_999), Some(1));
    }

    #[test]
    fn numbers_may_start_anew() {
        let mut streams = Streams::default();
        streams.begin(u32::MAX, 1);
        streams.begin(2, 1);
        streams.begin(3, 9);
        assert_eq!([2, 3, u32::MAX].map(|context| streams.take(context)), [Some(1), Some(9), None]);
    }
}
