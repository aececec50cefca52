//! A filter in a real Envoy, and the same configuration outside of it.

use std::{net::SocketAddr, path::Path};

use anyhow::{Result, ensure};
use header_edit::{Directed, Direction, HeaderList};

use crate::{
    http1,
    wasm_listeners::{Setup, WasmListeners},
};

/// What the pure crate makes of a request's headers.
pub type Oracle = Box<dyn Fn(&Directed<HeaderList>) -> HeaderList>;

/// Sends requests through a real Envoy, and expects of it what the pure crate says.
pub struct Both {
    /// The Envoy.
    pub envoy: WasmListeners,
    oracle: Oracle,
    /// The headers that the filter reads or writes.
    names: &'static [&'static str],
}

impl Both {
    /// Starts Envoy with one listener for each direction.
    ///
    /// # Errors
    /// There is no Envoy, or it does not start.
    pub fn start(module: &Path, configuration: &str, names: &'static [&'static str], oracle: Oracle) -> Result<Self> {
        let setup = |direction| Setup { name: name(direction).to_owned(), configuration, direction };
        let setups = [None, Some(Direction::Inbound), Some(Direction::Outbound)].map(setup);
        Ok(Self { envoy: WasmListeners::start(module, setups)?, oracle, names })
    }

    /// Sends the request and says with which status it was answered. If Envoy lets it in, what arrives must be what the
    /// pure crate says.
    ///
    /// # Errors
    /// Something else arrived, or nothing was answered.
    pub fn send(&self, direction: Option<Direction>, request: &HeaderList) -> Result<u16> {
        let response = http1::send(self.address(direction)?, request)?;
        if response.status == 200 {
            let arrived = http1::decode(&response.body)?;
            let headers = request.lines().map(|(name, value)| (name, as_envoy_reads(value))).collect();
            let expected = (self.oracle)(&Directed { headers, direction });
            for name in self.names {
                let (arrived, expected): (Vec<_>, Vec<_>) = (arrived.all(name).collect(), expected.all(name).collect());
                ensure!(arrived == expected, "{name}: expected {expected:?}, got {arrived:?}");
            }
        }
        Ok(response.status)
    }

    /// Sends the request so often that a worker whose filter is dead is noticed.
    ///
    /// # Errors
    /// A worker does not do what it should, or the filter failed at some time.
    pub fn still_serves(&self, request: &HeaderList) -> Result<()> {
        for _ in 0..20 {
            for direction in [None, Some(Direction::Inbound), Some(Direction::Outbound)] {
                ensure!(self.send(direction, request)? == 200, "a request was refused");
            }
        }
        let log = self.envoy.envoy.log();
        ensure!(!log.contains("Function: proxy_on"), "the filter failed: {log}");
        Ok(())
    }

    fn address(&self, direction: Option<Direction>) -> Result<SocketAddr> {
        self.envoy.address(name(direction))
    }
}

/// A request for `path` with these lines.
pub fn request(path: &str, lines: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> HeaderList {
    let mut request: HeaderList =
        [(":authority", "test.example"), (":method", "GET"), (":path", path)].into_iter().collect();
    lines.into_iter().for_each(|(name, value)| request.push(name, value));
    request
}

/// Whether Envoy's HTTP/1 parser lets the byte into a header's value: RFC 9110, section 5.5, and a lone CR.
pub fn is_let_in(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\r') || (byte >= 0x20 && byte != 0x7f)
}

/// Envoy's HTTP/1 parser drops a CR that stands alone.
pub fn as_envoy_reads(value: &[u8]) -> Vec<u8> {
    value.iter().copied().filter(|byte| *byte != b'\r').collect()
}

fn name(direction: Option<Direction>) -> &'static str {
    match direction {
        None => "unspecified",
        Some(Direction::Inbound) => "inbound",
        Some(Direction::Outbound) => "outbound",
    }
}
