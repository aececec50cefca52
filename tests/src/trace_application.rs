//! An application that calls another service, and forwards one header of the request that made it do so.

use std::{
    collections::BTreeMap,
    io::{BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
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
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let application = Self { address: listener.local_addr()?, outbound: Arc::default() };
        let outbound = application.outbound.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let outbound = outbound.clone();
                // A failure shows at the other end, as a connection that was closed without an answer.
                thread::spawn(move || serve(&stream, &outbound).ok());
            }
        });
        Ok(application)
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

fn serve(mut stream: &TcpStream, outbound: &Outbound) -> Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let head = http1::read_head(&mut reader)?;
        if head.is_empty() {
            return Ok(());
        }
        let request = http1::decode(&head)?;
        let path = request.all(":path").next().context("no path")?;
        let forwarded = str::from_utf8(path)?.trim_start_matches('/');
        let mut call: HeaderList =
            [(":authority", "other.example"), (":method", "GET"), (":path", "/")].into_iter().collect();
        request.all(forwarded).for_each(|value| call.push(forwarded, value));
        let address = outbound.lock().unwrap_or_else(PoisonError::into_inner).get(forwarded).copied();
        let body = http1::send(address.context("not told where to call")?, &call)?.body;
        let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
        answer.extend_from_slice(&body);
        stream.write_all(&answer)?;
    }
}
