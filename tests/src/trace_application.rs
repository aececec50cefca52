//! An application that calls another service, and forwards one header of the request that made it do so.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use header_edit::HeaderList;

use crate::http1;

/// Answers with what the other service answers. The path of a request names the header that is forwarded, and nothing
/// else is. Ends with the process.
#[derive(Debug)]
pub struct Application {
    address: SocketAddr,
    outbound: Arc<Outbound>,
}

/// Where calls go, by the header that they forward.
type Outbound = Mutex<BTreeMap<String, SocketAddr>>;

impl Application {
    /// Listens on a port of 127.0.0.1 that the system chooses.
    ///
    /// # Errors
    /// There is no free port.
    pub fn start() -> Result<Self> {
        let outbound = Arc::<Outbound>::default();
        let calls = outbound.clone();
        let address = http1::serve(Ipv4Addr::LOCALHOST.into(), move |head, _| forward(head, &calls))?;
        Ok(Self { address, outbound })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says where the calls go that forward this header.
    pub fn call(&self, forwarded: &str, outbound: SocketAddr) {
        self.outbound.lock().unwrap_or_else(PoisonError::into_inner).insert(forwarded.to_owned(), outbound);
    }
}

fn forward(head: &[u8], outbound: &Outbound) -> Result<Vec<u8>> {
    let request = http1::decode(head)?;
    let path = request.all(":path").next().context("no path")?;
    let forwarded = str::from_utf8(path)?.trim_start_matches('/');
    let mut call: HeaderList =
        [(":authority", "other.example"), (":method", "GET"), (":path", "/")].into_iter().collect();
    request.all(forwarded).for_each(|value| call.push(forwarded, value));
    let address = outbound.lock().unwrap_or_else(PoisonError::into_inner).get(forwarded).copied();
    let body = http1::send(address.context("not told where to call")?, &call)?.body;
    Ok(http1::answer("200 OK", "", &body))
}
