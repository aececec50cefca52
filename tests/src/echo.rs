//! An upstream that answers with the request as it arrived.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;

use crate::http1;

/// Answers every request with its own head, byte for byte. Ends with the process.
#[derive(Debug)]
pub struct Echo {
    address: SocketAddr,
}

impl Echo {
    /// Listens on a port of 127.0.0.1 that the system chooses.
    ///
    /// # Errors
    /// There is no free port.
    pub fn start() -> Result<Self> {
        Self::with_lines("")
    }

    /// The same with more header lines in every answer, each ending in `\r\n`.
    ///
    /// # Errors
    /// There is no free port.
    pub fn with_lines(lines: &'static str) -> Result<Self> {
        let address =
            http1::serve(Ipv4Addr::LOCALHOST.into(), move |head, _| Ok(http1::answer("200 OK", lines, head)))?;
        Ok(Self { address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
