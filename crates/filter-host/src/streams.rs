//! Which plug-in a stream belongs to.

/// So many streams may wait for their headers at once. Envoy begins a stream only when its headers have come (1.36 to
/// 1.40, `Context::decodeHeaders`), so there is one; what waits longer was begun for the access log alone.
const MAX_WAITING: usize = 1 << 10;

/// The streams whose headers have not come yet, each with its plug-in, the newest last.
///
/// The host says which plug-in a stream belongs to when the stream begins, and only then. That it ends, as it may without
/// headers, is not said here: the older half is forgotten when there are too many.
#[derive(Default)]
pub(crate) struct Streams(Vec<Stream>);

struct Stream {
    context: u32,
    plugin: u32,
}

impl Streams {
    pub(crate) fn begin(&mut self, context: u32, plugin: u32) {
        if self.0.len() == MAX_WAITING {
            self.0.drain(..MAX_WAITING / 2);
        }
        self.0.push(Stream { context, plugin });
    }

    /// The plug-in of a stream whose headers have come; once for each stream.
    pub(crate) fn take(&mut self, context: u32) -> Option<u32> {
        let at = self.0.iter().rposition(|stream| stream.context == context)?;
        Some(self.0.remove(at).plugin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_found_once_in_any_order() {
        let mut streams = Streams::default();
        for (context, plugin) in [(7, 1), (4, 2), (3, 1)] {
            streams.begin(context, plugin);
        }
        assert_eq!(
            [7, 3, 3, 5, 4, 4].map(|context| streams.take(context)),
            [Some(1), Some(1), None, None, Some(2), None]
        );
        assert!(streams.0.is_empty());
    }

    #[test]
    fn streams_that_never_get_headers_do_not_add_up() {
        let mut streams = Streams::default();
        for context in 0..1_000_000 {
            streams.begin(context, 1);
        }
        assert!(streams.0.len() <= MAX_WAITING && streams.0.capacity() <= 2 * MAX_WAITING);
        assert_eq!([0, 999_999].map(|context| streams.take(context)), [None, Some(1)]);
    }

    #[test]
    fn a_number_that_comes_again_is_the_newest_stream() {
        let mut streams = Streams::default();
        streams.begin(2, 1);
        streams.begin(2, 9);
        assert_eq!(streams.take(2), Some(9));
    }
}
